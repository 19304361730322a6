import { inWords } from '../clock';
import type { LearnedIdleLimit } from '../learned/idle-limit';
import type { Advice, CallFailure } from './call-failure';

/** From this share of a known limit on a socket counts as stale: clocks and timers are not exact. */
const NEAR_LIMIT = 0.9;
/** No firewall forgets a connection sooner. */
const SHORTEST_FIREWALL_MS = 60_000;

/** A connection whose state a device on the way has lost: no packet comes back, and the kernel gives up. */
export function adviseForgottenConnection(failure: CallFailure): Advice | undefined {
  const { trigger, reusedSocket, idleMs, origin } = failure;
  if (trigger !== 'kernel-timeout' || reusedSocket !== true || idleMs === undefined) return undefined;
  const evidence = idleMs >= SHORTEST_FIREWALL_MS ? origin.losses.stale : undefined;
  if (!evidence) return undefined;
  return {
    advice: `A firewall or load balancer before ${origin.origin} has silently forgotten the connection, which had been idle for ${inWords(idleMs)}: let the pool close idle sockets sooner.`,
    evidence: inNumbers(evidence),
  };
}

/** The stale keep-alive race: the upstream has closed the idle socket on which the request is being sent. */
export function adviseStaleSocket(failure: CallFailure): Advice | undefined {
  const { idleMs, origin } = failure;
  if (!isOnOldSocket(failure) || idleMs === undefined) return undefined;
  return adviseByLimit(failure, idleMs) ?? adviseByLosses(failure, idleMs, keeps(origin.idle));
}

/** The upstream's limit is known, and the socket was about as old. */
function adviseByLimit({ origin, waitedMs, target }: CallFailure, idleMs: number): Advice | undefined {
  const limit = origin.idle.upstream;
  if (limit === undefined || idleMs < limit.ms * NEAR_LIMIT) return undefined;
  if (!origin.losses.agreesThatDeadAfter(idleMs, target)) return undefined;
  const known = limit.by === 'announced' ? 'It announces so' : 'It was seen to do so more than once';
  return {
    advice: `${origin.origin} closes idle sockets after about ${inWords(limit.ms)}, and this one was reused after ${inWords(idleMs)}${keeps(origin.idle)}: let the pool close them sooner.`,
    evidence: `${known}; the request failed ${inWords(waitedMs ?? 0)} after it was sent, and none was answered on a socket that had been idle for longer.`,
  };
}

/** The limit is not known, but the lost and the answered requests show that there is one. */
function adviseByLosses({ origin }: CallFailure, idleMs: number, pool: string): Advice | undefined {
  const evidence = origin.losses.stale;
  if (evidence === undefined || idleMs < evidence.idleMs) return undefined;
  return {
    advice: `The socket had been idle for ${inWords(idleMs)} and failed at once when it was reused, as one does that ${origin.origin} has closed meanwhile${pool}: let the pool close idle sockets sooner.`,
    evidence: inNumbers(evidence),
  };
}

function isOnOldSocket({ trigger, phase, reusedSocket, waitedMs, origin }: CallFailure): boolean {
  if (trigger !== 'rst' && trigger !== 'fin') return false;
  if (reusedSocket !== true || (phase !== 'waiting' && phase !== 'sending')) return false;
  return waitedMs !== undefined && origin.losses.isAtOnce(waitedMs);
}

function keeps({ pool }: LearnedIdleLimit): string {
  return pool === undefined
    ? ''
    : `; this pool keeps them ${pool.ms === Infinity ? 'for ever' : inWords(pool.ms)}`;
}

function inNumbers(evidence: { lost: number; idleMs: number; answeredYounger: number }): string {
  const { lost, idleMs, answeredYounger } = evidence;
  return `${lost} of ${lost} requests were lost on sockets that had been idle for ${inWords(idleMs)} or longer, 0 of ${answeredYounger} on younger ones.`;
}
