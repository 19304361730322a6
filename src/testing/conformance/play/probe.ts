import type { ClientAccount, ClientResponse } from '../../client/client-account';
import { SPEAKS_HTTP2 } from '../../upstream/http1-upstream';
import type { UpstreamAttempt } from '../../upstream/upstream-log';
import { answering, seenAttempt, settled, WELL } from './breakage';
import type { Baseline, SeenAttempt } from '../cell';
import { isExpected } from '../expectations';
import { ask, HOLD_MS, until, type RunPlace } from './conversation';

/** A baseline of which the last thing is not known yet: what becomes of the connection. */
export type Probe = Omit<Baseline, 'closesSoon'> & { closesSoon: Promise<boolean> };

/**
 * Asks the route while all is well, and tells what it does then. Throws an Error that says in words what to change where it
 * does not work, or calls another upstream: nothing could be said of its cells.
 */
export async function probe(method: string, run: RunPlace): Promise<Probe> {
  run.upstream?.use(() => answering(WELL, run.plan.answer));
  // What an app does for its first request only, to fetch a token for example, is no part of the second.
  const first = await askOnce(method, run);
  const second = await askOnce(method, run);
  const calls = second.calls.length > 0 ? second.calls : first.calls;
  refuseOtherUpstream(method, run, calls.length);
  const { answered, over } = ask(method, run, HOLD_MS);
  await answered;
  const { status, bodyBytes } = second.response;
  return { status, bodyBytes, calls, closesSoon: over.then((account) => account?.ended !== 'open') };
}

/** How often a route may fail before it is believed: its first request also compiles and connects. */
const TRIES = 3;

interface Asked {
  response: ClientResponse;
  calls: SeenAttempt[];
}

async function askOnce(method: string, run: RunPlace, tries = TRIES): Promise<Asked> {
  try {
    return await tryOnce(method, run);
  } catch (error) {
    if (tries > 1) return askOnce(method, run, tries - 1);
    throw error;
  }
}

async function tryOnce(method: string, run: RunPlace): Promise<Asked> {
  const attempts = run.upstream?.attempts ?? [];
  const before = attempts.length;
  const account = await ask(method, run).over;
  if (run.plan.background) await settled(run, before);
  const calls = attempts.slice(before);
  const end = performance.now() + run.plan.deadline;
  await until(() => calls.every(({ state }) => state !== 'running'), end);
  return {
    response: working(method, run, account, calls),
    calls: calls.map((call) => seenAttempt(call, undefined)),
  };
}

/** The response of a route that works; throws for one that does not. */
function working(
  method: string,
  { plan, url, upstream }: RunPlace,
  account: ClientAccount | undefined,
  calls: readonly UpstreamAttempt[],
): ClientResponse {
  const where = `conformance(): ${method} ${plan.route}`;
  if (!account) throw new Error(`${where}: nobody accepts connections at ${url.origin}.`);
  const { response } = account;
  if (response?.complete === false && account.ended === 'open')
    throw new Error(
      `${where} began an answer (${response.status} ${response.headers['content-type'] ?? ''}) and did not end it: a stream without an end cannot be judged.`,
    );
  if (response?.complete !== true)
    throw new Error(
      `${where} gave no whole answer within ${Math.round(account.ms.ended)} ms while its upstream was well.`,
    );
  const { status } = response;
  if (isExpected(status, plan.expected.ok)) return response;
  throw new Error(
    `${where} answered ${status} while its upstream was well. ${adviceFor(response, calls, upstream?.url)}`,
  );
}

function adviceFor(
  { status, headers: { location } }: ClientResponse,
  calls: readonly UpstreamAttempt[],
  url: string | undefined,
): string {
  if (calls.some(({ method }) => method === 'PRI')) return SPEAKS_HTTP2;
  if (location !== undefined && status < 400) return redirectAdvice(location);
  if (status === 401 || status === 403)
    return `Give it what it asks for, for example headers: { Authorization: '…' } or { Cookie: '…' }.`;
  if (status === 429) return 'It limits how often it may be asked: switch the limit off for the run.';
  if (status < 500) return `Set route, headers and body, or leave the method out: methods: ['GET'].`;
  if (url !== undefined && calls.length === 0)
    return `It did not call the upstream at ${url}: the app calls another address.`;
  return url === undefined
    ? 'Its upstream may not be there: give `upstream`.'
    : 'It may not have understood what the upstream said: set `answer` to what the route expects.';
}

function redirectAdvice(location: string): string {
  const advice = location.startsWith('https:')
    ? `If it wants HTTPS, say what a proxy in front of it says: headers: { 'X-Forwarded-Proto': 'https' }.`
    : `Set route to where it ends, or give it what it asks for: headers: { Cookie: '…' }.`;
  return `It redirects to ${location}. ${advice}`;
}

function refuseOtherUpstream(method: string, { plan, upstream }: RunPlace, calls: number): void {
  if (!upstream || calls > 0) return;
  throw new Error(
    `conformance(): ${method} ${plan.route} answered without a call to the upstream at ${upstream.url}: it calls another one, or none.`,
  );
}
