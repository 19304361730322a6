import type { ClientResponse } from '../client/client-account';
import type { CellObservation, CellPlace, ConformanceCell, SeenAttempt } from './cell';
import { hasBody, type ConformanceFault } from './plan';

/** The times of a run, in milliseconds. */
export interface JudgeLimits {
  deadline: number;
  margin: number;
}

interface Expectation {
  /** The statuses of a whole answer that are right. */
  status: readonly (number | '2xx')[];
  /** Whether the upstream's answer may have begun to go out before it broke: then the response must break as well. */
  mayBreak?: boolean;
  /** Whether the upstream waits, so that a call which is not stopped is seen to go on. */
  waits?: boolean;
}

const EXPECTED: Record<ConformanceFault, Expectation> = {
  ok: { status: ['2xx'] },
  slow: { status: ['2xx'], waits: true },
  hang: { status: [504], waits: true },
  'hang-body': { status: [504], mayBreak: true, waits: true },
  reset: { status: [502] },
  close: { status: [502] },
  'reset-chunk': { status: [502], mayBreak: true },
  'close-body': { status: [502], mayBreak: true },
  'close-chunk': { status: [502], mayBreak: true },
  garbage: { status: [502] },
  refuse: { status: [502] },
  // A request that meets a dead connection may be sent again, or be a 502; it is neither slow nor the app's own fault.
  stale: { status: ['2xx', 502] },
};

type Rule = (place: CellPlace, seen: CellObservation, limits: JudgeLimits) => string | undefined;

/** Judges one cell by what was seen of it. Pure: the same observation always gets the same verdict. */
export function judge(place: CellPlace, seen: CellObservation, limits: JudgeLimits): ConformanceCell {
  const wrong = RULES.map((rule) => rule(place, seen, limits)).filter((words) => words !== undefined);
  const { account } = seen;
  const response = account?.response;
  return {
    ...place,
    verdict: wrong.length === 0 ? 'right' : 'wrong',
    why: wrong.length === 0 ? inShort(place, seen) : wrong.join('; '),
    status: response?.status,
    complete: response?.complete,
    ended: account?.ended,
    ms: account === undefined ? undefined : Math.round(account.ms.ended),
    attempts: seen.attempts?.map(({ state }) => state) ?? [],
  };
}

function inShort({ client }: CellPlace, { account, attempts }: CellObservation): string {
  const response = account?.response;
  if (response?.complete === true) return `${response.status}`;
  if (response && client === 'stays') return `${response.status}, then broken off`;
  const stopped = attempts?.some(({ state }) => state === 'cut-by-client') === true;
  return stopped ? 'the call was stopped' : 'nothing is left of it';
}

const crashed: Rule = (_place, { crashes }) =>
  crashes.length === 0 ? undefined : `the process would have crashed: ${crashes.join(', ')}`;

const gone: Rule = (_place, { account }) =>
  account === undefined ? 'nobody accepts connections any more' : undefined;

const isHttp: Rule = (_place, { account }) =>
  account?.malformed === undefined ? undefined : `what the client got is not HTTP: ${account.malformed}`;

const tellsNoAddress: Rule = (_place, { account, upstreamHost }) => {
  if (upstreamHost === undefined || account === undefined) return undefined;
  const tells = account.responses.some(
    ({ status, text, headers }) => status >= 400 && (text + JSON.stringify(headers)).includes(upstreamHost),
  );
  return tells ? 'the answer tells the address of the upstream' : undefined;
};

/** The client that waits for its answer gets an honest one, in time. */
const answers: Rule = ({ fault, client }, { account }, { deadline, margin }) => {
  if (client !== 'stays' || account === undefined) return undefined;
  const { response, ended, ms } = account;
  if (!response) {
    return ended === 'open'
      ? `no answer within ${Math.round(ms.ended)} ms`
      : 'the connection was closed without an answer';
  }
  if (!response.complete) return brokenOff(fault, response, ended);
  if (ms.ended > deadline + margin) return `the answer took ${Math.round(ms.ended)} ms`;
  return wrongStatus(fault, response);
};

function brokenOff(fault: ConformanceFault, response: ClientResponse, ended: string): string | undefined {
  if (ended === 'open') return 'the response was begun, and neither ended nor broken off';
  if (EXPECTED[fault].mayBreak === true) return undefined;
  return `a response with status ${response.status} was broken off`;
}

function wrongStatus(fault: ConformanceFault, { status }: ClientResponse): string | undefined {
  const { status: allowed, mayBreak } = EXPECTED[fault];
  const success = status >= 200 && status < 300;
  if (allowed.includes(status) || (success && allowed.includes('2xx'))) return undefined;
  if (success && mayBreak === true) return `a fragment looks like a whole answer (${status})`;
  return `${status} instead of ${allowed.join(' or ')}`;
}

/** The connection is fit for the next request, which is none of this one's business. */
const nextIsInnocent: Rule = (_place, { account, askedAgain }) => {
  if (!askedAgain || account === undefined) return undefined;
  const next = account.responses[1];
  if (!next) return 'the next request on the connection got no answer';
  if (!next.complete) return 'the answer to the next request on the connection was broken off';
  return next.status < 300 ? undefined : `the next request on the connection got ${next.status}`;
};

/** What a client that leaves has seen until then is not wrong either. */
const beginsRight: Rule = ({ fault, client }, { account }) => {
  const response = account?.response;
  if (client === 'stays' || !response) return undefined;
  const begun = response.status < 300 && EXPECTED[fault].mayBreak === true && !response.complete;
  return begun ? undefined : wrongStatus(fault, response);
};

/** A client that has half-closed is answered or left, but not kept waiting. */
const isNotKeptWaiting: Rule = ({ client, method }, { account }) => {
  if (client !== 'leaves-in-request' || hasBody(method) || account?.ended !== 'open') return undefined;
  return account.response?.complete === true
    ? undefined
    : 'a client that half-closed got neither an answer nor an end';
};

/** Nobody works for a client that has gone. */
const stopsTheCall: Rule = (place, seen, limits) => {
  const { attempts = [] } = seen;
  for (const attempt of attempts) {
    const words = goesOn(place, seen, attempt, limits);
    if (words !== undefined) return words;
  }
  return undefined;
};

function goesOn(
  { fault, client }: CellPlace,
  { account }: CellObservation,
  { state, tookMs, afterLeavingMs }: SeenAttempt,
  { deadline }: JudgeLimits,
): string | undefined {
  if (state === 'running') return 'the call to the upstream was never ended';
  const answered = account?.response?.complete === true || account?.response?.status === 504;
  if (client === 'stays' || EXPECTED[fault].waits !== true || answered) return undefined;
  // Over before the client had left, or the client had no time to leave.
  if (afterLeavingMs === undefined || afterLeavingMs <= 0) return undefined;
  if (state === 'answered') return 'the upstream had to answer for a client that was gone';
  // The deadline is not what must end it. A tenth of it is for a client that left when it had nearly passed.
  return tookMs !== undefined && tookMs >= deadline * 0.9 && afterLeavingMs > deadline * 0.1
    ? 'the call to the upstream was ended by the deadline only, not when the client left'
    : undefined;
}

/** A request that may change something is not sent twice. */
const sendsOnce: Rule = ({ method }, { attempts = [] }) =>
  hasBody(method) && method !== 'PUT' && attempts.length > 1
    ? `the ${method} was sent to the upstream ${attempts.length} times`
    : undefined;

/** Half of an upload is not passed off as the whole. */
const passesNoHalfBody: Rule = ({ client, method }, { attempts = [], halfBytes }) =>
  client === 'leaves-in-request' &&
  hasBody(method) &&
  attempts.some(({ bodyComplete, bodyBytes }) => bodyComplete && bodyBytes === halfBytes)
    ? 'the upstream was given half of the body as if it were the whole'
    : undefined;

const RULES: readonly Rule[] = [
  crashed,
  gone,
  isHttp,
  answers,
  tellsNoAddress,
  nextIsInnocent,
  beginsRight,
  isNotKeptWaiting,
  stopsTheCall,
  sendsOnce,
  passesNoHalfBody,
];
