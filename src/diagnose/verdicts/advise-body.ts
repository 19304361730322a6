import type { Advice, CallFailure } from './call-failure';

/** An upstream that said 413 and closed. */
export function adviseBodyLimitAnswer({
  status,
  trigger,
  bytesSent,
  origin: { origin },
}: CallFailure): Advice | undefined {
  if (status !== 413 || (trigger !== 'rst' && trigger !== 'fin')) return undefined;
  return {
    advice: `${origin} answered 413 and closed while the request's body was still on its way: the body is larger than it takes.`,
    evidence: `Status 413; ${kilobytes(bytesSent ?? 0)} had been handed to the connection.`,
  };
}

/** An upstream that closes on large bodies without an answer. */
export function adviseBodyLimit(failure: CallFailure): Advice | undefined {
  const { origin, bodies } = failure.origin;
  const evidence = isBodyCut(failure) ? bodies.evidence : undefined;
  if (!evidence) return undefined;
  return {
    advice: `${origin} closed while a large body was being sent to it: that is how most servers enforce a limit on its size.`,
    evidence: `${evidence.cuts} requests of ${kilobytes(evidence.smallestCut)} or more were cut while they were sent; ${evidence.answered} smaller ones were answered, the largest of ${kilobytes(evidence.largestAnswered)}.`,
  };
}

/** A large body that was cut while it was sent. Once may be chance, or a crash. */
export function isBodyCut({
  trigger,
  phase,
  bytesSent,
  reusedSocket,
  idleMs,
  origin: { bodies },
}: CallFailure): boolean {
  if ((trigger !== 'rst' && trigger !== 'fin') || phase !== 'sending') return false;
  if (reusedSocket !== false && idleMs === undefined) return false;
  return bodies.isLarge(bytesSent);
}

function kilobytes(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${Math.round(bytes / 1024)} kB`;
}
