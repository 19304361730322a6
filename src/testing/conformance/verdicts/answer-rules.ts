import type { ClientAccount, ClientResponse } from '../../client/client-account';
import type { CellObservation, CellPlace, Complaint } from '../cell';
import { isExpected, type Expectation } from '../expectations';
import type { JudgeLimits, Rule } from './judge';
import { hasBody } from '../matrix';

const crashed: Rule = (_place, { crashes }) =>
  crashes.length === 0
    ? undefined
    : { cause: 'crash', certain: true, words: `the process would have crashed: ${crashes.join(', ')}` };

const gone: Rule = (_place, { account, crashes }) =>
  account === undefined && crashes.length === 0
    ? { cause: 'gone', words: 'nobody accepts connections any more' }
    : undefined;

const isHttp: Rule = (_place, { account }) =>
  account?.malformed === undefined
    ? undefined
    : { cause: 'not-http', certain: true, words: `what the client got is not HTTP: ${account.malformed}` };

const tellsNoAddress: Rule = (_place, { account, upstreamHost }) => {
  const failed = account?.responses.filter(({ status }) => status >= 400) ?? [];
  const texts = failed.map(({ text, headers }) => text + JSON.stringify(headers));
  const hosts =
    upstreamHost === undefined ? [] : [upstreamHost, upstreamHost.replace(/^[\d.]+/, 'localhost')];
  if (texts.some((text) => hosts.some((host) => text.includes(host))))
    return { cause: 'tells-address', certain: true, words: 'the answer tells the address of the upstream' };
  return texts.some((text) => /(\n|\\n|<br>)(\s|&nbsp;)*at [^\n]{1,200}:\d+:\d+/.test(text))
    ? { cause: 'tells-stack', certain: true, words: 'the answer shows a stack trace' }
    : undefined;
};

/** The client that waits for its answer gets an honest one, in time. */
const answers: Rule = (place, { account, baseline }, limits) => {
  if (place.client !== 'stays' || account === undefined) return undefined;
  return answerOf(account, limits.expected[place.fault], limits, baseline.bodyBytes);
};

/** What is wrong with the first answer that a client got. */
function answerOf(
  { response, ended, ms }: ClientAccount,
  expected: Expectation,
  { deadline, margin }: JudgeLimits,
  usualBytes: number,
): Complaint | undefined {
  if (!response) {
    return ended === 'open'
      ? { cause: 'no-answer', words: `no answer within ${Math.round(ms.ended)} ms` }
      : { cause: 'closed-unanswered', words: 'the connection was closed without an answer' };
  }
  if (!response.complete) return brokenOff(expected, response, ended);
  const tookMs = response.endedAt ?? ms.ended;
  if (tookMs > deadline + margin)
    return { cause: 'late-answer', words: `the answer took ${Math.round(tookMs)} ms` };
  return wrongStatus(expected, response) ?? emptyAnswer(response, usualBytes);
}

function brokenOff(expected: Expectation, response: ClientResponse, ended: string): Complaint | undefined {
  if (ended === 'open')
    return { cause: 'left-hanging', words: 'the response was begun, and neither ended nor broken off' };
  if (expected.mayBreak === true) return undefined;
  return { cause: 'broken-off', words: `a response with status ${response.status} was broken off` };
}

function wrongStatus(expected: Expectation, { status }: ClientResponse): Complaint | undefined {
  if (isExpected(status, expected)) return undefined;
  if (status >= 200 && status < 300 && expected.mayBreak === true)
    return { cause: 'fragment', words: `a fragment looks like a whole answer (${status})` };
  return { cause: `status-${status}`, words: `${status} instead of ${expected.status.join(' or ')}` };
}

function emptyAnswer({ status, bodyBytes }: ClientResponse, usualBytes: number): Complaint | undefined {
  return status >= 200 && status < 300 && bodyBytes === 0 && usualBytes > 0
    ? { cause: 'empty-answer', words: `an empty answer looks like a success (${status})` }
    : undefined;
}

/** The connection is fit for the next request, which is none of this one's business. */
const nextIsInnocent: Rule = (_place, { account, askedAgain }) => {
  if (!askedAgain || account === undefined) return undefined;
  const next = account.responses[1];
  const cause = 'next-request';
  if (!next) return { cause, words: 'the next request on the connection got no answer' };
  if (!next.complete)
    return { cause, words: 'the answer to the next request on the connection was broken off' };
  return next.status < 400
    ? undefined
    : { cause, words: `the next request on the connection got ${next.status}` };
};

/** Nothing comes on a connection for which nobody has asked, and it is not closed under a client that may ask again. */
const keepsTheConnection: Rule = ({ client }, { account, askedAgain, baseline }) => {
  if (client !== 'stays' || account === undefined) return undefined;
  const asked = askedAgain ? 2 : 1;
  const stray = account.responses[asked];
  if (stray) {
    const words = `after its answer a second response came on the connection, with status ${stray.status}, for the next client to take as its own`;
    return { cause: 'stray-response', certain: true, words };
  }
  const last = account.responses[asked - 1];
  const announced = last?.headers.connection?.toLowerCase().includes('close') === true;
  if (last?.complete !== true || announced || account.ended === 'open' || baseline.closesSoon)
    return undefined;
  const afterMs = Math.round(account.ms.ended - (last.endedAt ?? 0));
  const words = `the connection was ${account.ended === 'rst' ? 'reset' : 'closed'} ${afterMs} ms after a whole answer that had not announced it: the next request is lost`;
  return { cause: 'closed-later', words };
};

/** A client that leaves got no wrong answer before it left. */
const beginsRight: Rule = ({ fault, client }, { account }, { expected }) => {
  const response = account?.response;
  if (!client.startsWith('leaves-') || !response) return undefined;
  const begun = response.status < 300 && expected[fault].mayBreak === true && !response.complete;
  return begun ? undefined : wrongStatus(expected[fault], response);
};

/** A client that has half-closed is answered or left, but not kept waiting. */
const isNotKeptWaiting: Rule = ({ client, method }, { account }) => {
  if (client !== 'leaves-in-request' || hasBody(method) || account?.ended !== 'open') return undefined;
  return account.response?.complete === true
    ? undefined
    : { cause: 'half-close', words: 'a client that half-closed got neither an answer nor an end' };
};

/** If one of two simultaneous clients leaves or fails, the other is not affected. */
const sparesTheOther: Rule = (place, seen, limits) => {
  const { beside, account, baseline } = seen;
  if (beside === undefined) return undefined;
  const well = limits.expected.ok;
  const cause = 'neighbour';
  const problem = (told: ClientAccount | undefined): Complaint | undefined =>
    told === undefined
      ? { cause, words: 'nobody accepts connections any more' }
      : answerOf(told, well, limits, baseline.bodyBytes);
  // The one who leaves is `account`. Where one call of both is reset, it is not known whose.
  const others =
    place.fault === 'slow' ? [problem(beside.account)] : [problem(account), problem(beside.account)];
  const bad = others.filter((it) => it !== undefined);
  const why: Record<string, string> = {
    slow: 'when one of two clients left, the other one was not served',
    reset: "when one of two clients' calls was reset, the other client was not served",
    ok: 'of two clients at once, one was not served',
  };
  // Where both share one call there is none that could be spared.
  const isShared = seen.attempts !== undefined && seen.attempts.length < 2;
  const isHurt = place.fault === 'reset' ? bad.length === 2 && !isShared : bad.length > 0;
  return isHurt ? { cause, words: `${why[place.fault]}: ${bad[0]?.words}` } : undefined;
};

/** Nobody gets the answer to a request of somebody else. */
const isOwnAnswer: Rule = ({ method }, seen) => {
  const { account, beside, numbers } = seen;
  const answers = [
    ...(account?.responses ?? []).map((response, i) => ({ response, own: numbers[i] })),
    ...(beside?.account?.responses ?? []).map((response) => ({ response, own: beside?.number })),
  ];
  for (const { response, own } of answers) {
    const told = new Set(response.status < 300 ? (response.text.match(/\bc\d{6}\b/g) ?? []) : []);
    if (own === undefined || told.size === 0 || told.has(own) || !tellsApart(method, seen, own)) continue;
    return { cause: 'others-answer', words: 'a client got the answer to a request of somebody else' };
  }
  return undefined;
};

// Two GETs of the same address may share an answer. They are not the same where the upstream can tell them apart.
function tellsApart(method: string, { attempts = [] }: CellObservation, own: string): boolean {
  return hasBody(method) || attempts.some(({ numbers }) => numbers.includes(own));
}

/** What concerns client and answer. */
export const ANSWER_RULES: readonly Rule[] = [
  ...[crashed, gone, isHttp, answers, tellsNoAddress, nextIsInnocent, keepsTheConnection, beginsRight],
  ...[isNotKeptWaiting, sparesTheOther, isOwnAnswer],
];

/** The place of a cell in words: `POST leaves-fin`. */
export function columnOf({ method, client, call }: CellPlace): string {
  return `${method} ${client}${call === undefined ? '' : ` (call ${call})`}`;
}
