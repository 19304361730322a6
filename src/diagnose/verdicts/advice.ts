import { getDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';
import { inWords, RECENTLY_MS } from '../clock';
import { adviseCertificate, advisePlainHttp } from './advise-tls';
import { adviseBodyLimit, adviseBodyLimitAnswer } from './advise-body';
import { adviseForgottenConnection, adviseStaleSocket } from './advise-sockets';
import type { Advice, CallFailure } from './call-failure';

/** Advice with its evidence on a failure whose pattern is known, else nothing: no advice is better than a wrong one. */
type Pattern = (failure: CallFailure) => Advice | undefined;

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

/** One sentence of advice on a failure and its evidence, when the pattern is known. */
export function adviceOn(failure: CallFailure): Advice | undefined {
  for (const pattern of PATTERNS) {
    const advice = pattern(failure);
    if (advice !== undefined) return advice;
  }
  return undefined;
}

function adviseName({ trigger, origin: { origin } }: CallFailure): Advice | undefined {
  if (trigger === 'name-not-found')
    return {
      advice: `The name in ${origin} does not exist for this machine's resolver: check its spelling and the search domain.`,
      evidence: 'The resolver answered that there is no such name.',
    };
  if (trigger === 'resolver')
    return {
      advice: `The resolver gave no answer for the name in ${origin}: look at DNS, not at the upstream.`,
      evidence: 'The lookup failed without an answer.',
    };
  return undefined;
}

function adviseOneHalfOfLocalhost({
  trigger,
  addresses,
  origin: { origin },
}: CallFailure): Advice | undefined {
  const [address] = addresses;
  if (trigger !== 'refused' || addresses.length !== 1 || !/^https?:\/\/localhost(?::|$)/.test(origin))
    return undefined;
  if (address !== '::1') return undefined;
  return {
    advice: `localhost was tried at ::1 only, where nothing listens: see whether the upstream listens on 127.0.0.1, and call it by that address.`,
    evidence: 'Refused by ::1; no other address was tried.',
  };
}

function adviseRefusal({ trigger, at, origin: { origin, lastAnswerAt } }: CallFailure): Advice | undefined {
  if (trigger !== 'refused') return undefined;
  const agoMs = lastAnswerAt === undefined ? Infinity : at - lastAnswerAt;
  if (agoMs <= RECENTLY_MS)
    return {
      advice: `${origin} answered ${inWords(agoMs)} ago and now refuses: it is restarting or has crashed; drain it before it stops, and retry what is idempotent.`,
      evidence: `Its last answer came ${inWords(agoMs)} before the connection was refused.`,
    };
  const seen = agoMs === Infinity ? 'It has not answered yet' : `Its last answer came ${inWords(agoMs)} ago`;
  return {
    advice: `Nothing accepts connections at ${origin}: check that it runs, and that host and port are right.`,
    evidence: `The connection was refused. ${seen}.`,
  };
}

function adviseAttemptTimeout({ trigger, addresses, origin: { origin } }: CallFailure): Advice | undefined {
  // The limit is one for each of several addresses.
  if (trigger !== 'attempt-timeout' || addresses.length < 2) return undefined;
  const limit = inWords(getDefaultAutoSelectFamilyAttemptTimeout());
  return {
    advice: `Node gives each address of ${origin} only ${limit} to connect: raise it with net.setDefaultAutoSelectFamilyAttemptTimeout(), or look for the address that does not answer.`,
    evidence: `${addresses.length} addresses were tried, none for longer than ${limit}.`,
  };
}

function adviseRestart({ trigger, at, origin: { origin, closings } }: CallFailure): Advice | undefined {
  const restart = trigger === 'rst' || trigger === 'fin' ? closings.restartAround(at) : undefined;
  if (!restart) return undefined;
  if (restart.isRefusing)
    return {
      advice: `${origin} closed this connection and refused the next: it is restarting or has crashed; drain it before it stops.`,
      evidence: 'A connection was refused within a second of this, soon after an answer.',
    };
  const { idle, inUse } = restart;
  return {
    advice: `${origin} closed many connections at once, of different ages: it is restarting or has crashed; drain it before it stops.`,
    evidence: `${idle + inUse} connections were closed by it within 0.2 s, ${idle} idle and ${inUse} in use.`,
  };
}

function adviseRecurringCut({
  trigger,
  phase,
  waitedMs,
  origin: { origin, cuts },
}: CallFailure): Advice | undefined {
  const isCut = (trigger === 'rst' || trigger === 'fin') && phase === 'waiting';
  const evidence = isCut ? cuts.evidence : undefined;
  if (evidence === undefined || waitedMs === undefined) return undefined;
  if (Math.abs(waitedMs - evidence.ms) > evidence.ms * 0.1) return undefined;
  return {
    advice: `${origin} cuts requests that take longer than about ${inWords(evidence.ms)}: a timeout there, or of a proxy before it, is shorter than this process waits.`,
    evidence: `${evidence.cuts} requests for different things were cut after ${inWords(evidence.ms)}; of those that were answered none took longer than ${inWords(evidence.longestAnsweredMs)}.`,
  };
}

export { isBodyCut } from './advise-body';
