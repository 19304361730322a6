import { getDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';
import { inWords } from '../clock';
import type { CallFailure } from './call-failure';

/** One sentence about a failure whose pattern is known, else nothing: no advice is better than a wrong one. */
type Pattern = (failure: CallFailure) => string | undefined;

/** A stale socket fails at once; what takes longer was at work on the request. */
const AT_ONCE_MS = 1000;
/** Without knowledge of the upstream's limit, a shorter idle time does not make a socket stale. */
const LONG_IDLE_MS = 1000;
/** How much of a known limit makes a socket stale: clocks and timers are not exact. */
const NEAR_LIMIT = 0.75;
/** Smaller bodies leave in one piece: a reset while they are sent says nothing of a limit. */
const LARGE_BODY = 64 * 1024;
/** How recent an answer makes a refusal a restart. */
const RECENTLY_MS = 60_000;

/** The order is one of certainty: what names its cause first, what concludes from circumstances last. */
const PATTERNS: readonly Pattern[] = [
  adviseName,
  adviseCertificate,
  advisePlainHttp,
  adviseOneHalfOfLocalhost,
  adviseRefusal,
  adviseAttemptTimeout,
  adviseForgottenConnection,
  adviseBodyLimitAnswer,
  adviseRestart,
  adviseStaleSocket,
  adviseRecurringCut,
  adviseBodyLimit,
];

/** One sentence of advice on a failure, when its pattern is known. */
export function adviceOn(failure: CallFailure): string | undefined {
  for (const pattern of PATTERNS) {
    const advice = pattern(failure);
    if (advice !== undefined) return advice;
  }
  return undefined;
}

function adviseName({ trigger, origin: { origin } }: CallFailure): string | undefined {
  if (trigger === 'name-not-found')
    return `The name in ${origin} does not exist for this machine's resolver: check its spelling and the search domain.`;
  if (trigger === 'resolver')
    return `The resolver gave no answer for the name in ${origin}: look at DNS, not at the upstream.`;
  return undefined;
}

function adviseCertificate({ trigger, tlsCode, origin: { origin } }: CallFailure): string | undefined {
  if (trigger !== 'certificate') return undefined;
  return `The certificate of ${origin} was not accepted (${tlsCode ?? 'unknown reason'}): renew it, or give this process the authority that has signed it.`;
}

function advisePlainHttp({ tlsCode, phase, origin: { origin } }: CallFailure): string | undefined {
  const isPlain = tlsCode === 'ERR_SSL_WRONG_VERSION_NUMBER' || tlsCode === 'ERR_SSL_PACKET_LENGTH_TOO_LONG';
  if (!isPlain || phase !== 'tls') return undefined;
  return `${origin} does not speak TLS on this port: call it by http:, or use its https port.`;
}

function adviseOneHalfOfLocalhost({
  trigger,
  addresses,
  origin: { origin },
}: CallFailure): string | undefined {
  const [address] = addresses;
  if (trigger !== 'refused' || addresses.length !== 1 || !/^https?:\/\/localhost(?::|$)/.test(origin))
    return undefined;
  if (address === '::1')
    return `localhost was tried at ::1 only, where nothing listens: the upstream probably listens on 127.0.0.1, so call it by that address.`;
  return undefined;
}

function adviseRefusal({ trigger, at, origin: { origin, lastAnswerAt } }: CallFailure): string | undefined {
  if (trigger !== 'refused') return undefined;
  const agoMs = lastAnswerAt === undefined ? Infinity : at - lastAnswerAt;
  if (agoMs <= RECENTLY_MS)
    return `${origin} answered ${inWords(agoMs)} ago and now refuses: it is restarting or has crashed; drain it before it stops, and retry what is idempotent.`;
  return `Nothing accepts connections at ${origin}: check that it runs, and that host and port are right.`;
}

function adviseAttemptTimeout({ trigger, origin: { origin } }: CallFailure): string | undefined {
  if (trigger !== 'attempt-timeout') return undefined;
  const limit = inWords(getDefaultAutoSelectFamilyAttemptTimeout());
  return `Node gives each address of ${origin} only ${limit} to connect: raise it with net.setDefaultAutoSelectFamilyAttemptTimeout(), or look for the address that does not answer.`;
}

function adviseForgottenConnection({
  trigger,
  reusedSocket,
  idleMs,
  origin: { origin },
}: CallFailure): string | undefined {
  if (trigger !== 'kernel-timeout' || reusedSocket !== true || idleMs === undefined || idleMs < LONG_IDLE_MS)
    return undefined;
  return `A firewall or load balancer before ${origin} has silently forgotten the connection, which had been idle for ${inWords(idleMs)}: let the pool close idle sockets sooner.`;
}

function adviseBodyLimitAnswer({ status, trigger, origin: { origin } }: CallFailure): string | undefined {
  if (status !== 413 || (trigger !== 'rst' && trigger !== 'fin')) return undefined;
  return `${origin} answered 413 and closed while the request's body was still on its way: the body is larger than it takes.`;
}

function adviseRestart({ trigger, at, origin: { origin, closings } }: CallFailure): string | undefined {
  if ((trigger !== 'rst' && trigger !== 'fin') || !closings.isRestart(at)) return undefined;
  return `${origin} closed many connections at once, in use and idle alike: it is restarting or has crashed; drain it before it stops.`;
}

function adviseStaleSocket(failure: CallFailure): string | undefined {
  const { idleMs, origin } = failure;
  if (!isStale(failure) || idleMs === undefined) return undefined;
  const limit = origin.idle.upstream;
  const pool = origin.idle.pool;
  const keeps =
    pool === undefined
      ? ''
      : `; this pool keeps them ${pool.ms === Infinity ? 'for ever' : inWords(pool.ms)}`;
  if (limit !== undefined)
    return `${origin.origin} closes idle sockets after about ${inWords(limit.ms)}, and this one was reused after ${inWords(idleMs)}${keeps}: let the pool close them sooner.`;
  return `The socket had been idle for ${inWords(idleMs)} and failed at once when it was reused, as one does that ${origin.origin} has closed meanwhile${keeps}: let the pool close idle sockets sooner.`;
}

/** The stale keep-alive race: a reused socket, idle for long, that fails at once and before a byte of an answer. */
export function isStale({ trigger, phase, reusedSocket, idleMs, waitedMs, origin }: CallFailure): boolean {
  if (trigger !== 'rst' && trigger !== 'fin') return false;
  if (reusedSocket !== true || phase === 'body' || idleMs === undefined) return false;
  if (waitedMs === undefined || waitedMs > AT_ONCE_MS) return false;
  const limitMs = origin.idle.upstream?.ms;
  return limitMs === undefined ? idleMs >= LONG_IDLE_MS : idleMs >= limitMs * NEAR_LIMIT;
}

function adviseRecurringCut({
  trigger,
  phase,
  waitedMs,
  origin: { origin, cuts },
}: CallFailure): string | undefined {
  const cutMs = cuts.ms;
  const isCut = (trigger === 'rst' || trigger === 'fin') && phase === 'waiting';
  if (!isCut || cutMs === undefined || waitedMs === undefined) return undefined;
  if (Math.abs(waitedMs - cutMs) > cutMs * 0.2) return undefined;
  return `${origin} cuts requests that take longer than about ${inWords(cutMs)}: a timeout there, or of a proxy before it, is shorter than this process waits.`;
}

function adviseBodyLimit(failure: CallFailure): string | undefined {
  const { origin, bodyCuts } = failure.origin;
  if (!isBodyCut(failure) || bodyCuts < 2) return undefined;
  return `${origin} closed while a large body was being sent to it: that is how most servers enforce a limit on its size.`;
}

/** A large body that was cut while it was sent. Once may be chance, or a crash; twice is a limit. */
export function isBodyCut({ trigger, phase, bytesSent, reusedSocket, idleMs }: CallFailure): boolean {
  if ((trigger !== 'rst' && trigger !== 'fin') || phase !== 'sending') return false;
  if (reusedSocket !== false && idleMs === undefined) return false;
  return bytesSent !== undefined && bytesSent >= LARGE_BODY;
}
