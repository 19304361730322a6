import type { CallSite, UpstreamInfo } from '../../answer/fault';
import { markedCallSite, siteOf } from '../../answer/call-site';
import { errorChain, read, type ErrorFacts } from '../../answer/classify/error-chain';
import { targetHash } from '../calls/target-hash';
import type { CallStart, CallTarget, UpstreamCall } from '../calls/upstream-call';
import { now } from '../clock';
import type { OriginLog } from '../learned/origin-log';
import { triggerOf, type Circumstances, type Trigger } from './trigger';
import { verdictOf, type Phase } from './verdict';

/** One sentence about a failure whose pattern is known, and what it was concluded from. */
export interface Advice {
  readonly advice: string;
  readonly evidence: string;
}

/** All that is known of a call that failed: what the advice is given on. */
export interface CallFailure {
  readonly at: number;
  readonly origin: OriginLog;
  readonly phase: Phase | undefined;
  readonly trigger: Trigger | undefined;
  readonly verdict: string;
  readonly reusedSocket: boolean | undefined;
  readonly idleMs: number | undefined;
  readonly requestsOnSocket: number | undefined;
  /** Since the request was given its socket. */
  readonly waitedMs: number | undefined;
  /** How many bytes of the request were handed to the socket. */
  readonly bytesSent: number | undefined;
  /** The status of the answer, where it had begun. */
  readonly status: number | undefined;
  /** The addresses to which connections failed. */
  readonly addresses: readonly string[];
  /** What went wrong with TLS: `DEPTH_ZERO_SELF_SIGNED_CERT`. */
  readonly tlsCode: string | undefined;
  /** Tells calls for different things apart, without a query and with it. */
  readonly target: number;
  readonly exactTarget: number;
  readonly start: CallStart | undefined;
  /** The line of the app that made the call, or that has set up the proxy which made it. */
  readonly site: CallSite | undefined;
}

/** What the client's side of a failure is known to be. */
export interface Observation extends Circumstances {
  readonly origin: OriginLog;
  /** The request, if it was given a socket. */
  readonly call: UpstreamCall | undefined;
  /** The phase of a call of which no socket was seen, unless its error tells it. */
  readonly phase: Phase | undefined;
  readonly target: CallTarget;
  readonly start: CallStart | undefined;
  /** What the client itself says, where no call was seen. */
  readonly reusedSocket?: boolean | undefined;
}

/** Puts together what an error tells and what was seen. */
export function failureOf(error: unknown, observation: Observation): CallFailure {
  const { call, origin, start } = observation;
  const { method, path } = observation.target;
  const at = now();
  const trigger = triggerOf(error, observation);
  const phase = phaseOf(error, observation);
  const isOnSocket = phase === 'sending' || phase === 'waiting' || phase === 'body';
  const reusedSocket = isOnSocket ? (call?.reusedSocket ?? observation.reusedSocket) : undefined;
  return {
    at,
    origin,
    phase,
    trigger,
    verdict: verdictOf(trigger, phase, reusedSocket),
    reusedSocket,
    idleMs: isOnSocket ? call?.idleMs : undefined,
    requestsOnSocket: isOnSocket ? call?.requestsOnSocket : undefined,
    waitedMs: call?.begunAt === undefined ? undefined : at - call.begunAt,
    bytesSent: call && call.socket.socket.bytesWritten - call.socket.bytesBefore,
    status: call?.status,
    addresses: addressesIn(error),
    tlsCode: tlsCodeIn(error),
    target: targetHash({ method, path: path.replace(/[?#].*$/s, '') }),
    exactTarget: targetHash({ method, path }),
    start,
    site: siteOf(start?.stack) ?? siteOf(markedCallSite(observation.target)),
  };
}

/** What a failure says of its upstream, for the fault that is made of it. */
export function infoOf(failure: CallFailure, advice: Advice | undefined): UpstreamInfo {
  const where = failure.site;
  const { origin, phase, trigger, verdict, reusedSocket, idleMs, requestsOnSocket } = failure;
  return {
    origin: origin.origin,
    verdict,
    ...(phase && { phase }),
    ...(trigger && { trigger }),
    ...(reusedSocket !== undefined && { reusedSocket }),
    ...(idleMs !== undefined && { idleMs: Math.round(idleMs) }),
    ...(requestsOnSocket !== undefined && { requestsOnSocket }),
    ...advice,
    ...(where && { where }),
  };
}

function phaseOf(error: unknown, { call, phase }: Observation): Phase | undefined {
  const chain = errorChain(error);
  if (chain.some(({ syscall }) => syscall === 'getaddrinfo')) return 'dns';
  if (chain.some(({ syscall, code }) => syscall === 'connect' || code === 'UND_ERR_CONNECT_TIMEOUT'))
    return 'connect';
  if (call?.socket.stage === 'ready') return call.stage;
  return chain.some(isOfHandshake) ? 'tls' : (call?.socket.stage ?? phase);
}

/** Errors that TLS brings; on a socket that was ready they may come later as well. */
function isOfHandshake({ code }: ErrorFacts): boolean {
  return typeof code === 'string' && /^ERR_(?:SSL|TLS)_|CERT|^UNABLE_TO_/.test(code);
}

function addressesIn(error: unknown): string[] {
  const addresses = errorChain(error).map((facts) => read(facts.error, 'address'));
  return [...new Set(addresses.filter((address) => typeof address === 'string'))];
}

/** The code of an error that TLS has brought. The app's own errors may have any code: no other is kept. */
function tlsCodeIn(error: unknown): string | undefined {
  const code = errorChain(error).find(isOfHandshake)?.code;
  return typeof code === 'string' && /^[A-Z0-9_]{3,60}$/.test(code) ? code : undefined;
}
