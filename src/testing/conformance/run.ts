import { setTimeout as pause } from 'node:timers/promises';
import type { ClientAccount } from '../client/client-account';
import { clientPlan, type ClientPlan, type ClientThatHangsUpOptions } from '../client/client-plan';
import type { CellObservation, CellPlace, SeenAttempt } from './cell';
import { hasBody, type ConformancePlan } from './plan';
import type { Fault } from '../upstream/fault-choice';
import type { FaultyUpstream } from '../upstream/faulty-upstream';
import { talkHttp1 } from '../client/http1-client';
import { talkHttp2 } from '../client/http2-client';
import type { UpstreamAttempt } from '../upstream/upstream-log';

/** Where a run takes place. */
export interface RunPlace {
  plan: ConformancePlan;
  /** Where the app listens. */
  url: URL;
  /** `undefined` where the upstream is not ours. */
  upstream: FaultyUpstream | undefined;
  /** What would have ended the process since the last call. */
  takeCrashes: () => string[];
}

/** A proxy passes it on, and so tells which cell an attempt belongs to that comes when its own cell is over. */
const CELL_HEADER = 'x-conformance-cell';

/** How long an app may take to call its upstream for a request whose body never comes whole, in ms: most never do. */
const HALF_REQUEST_MS = 40;

/** Plays one cell: sets the fault, sends the client, waits until all is over or should be, and tells what was seen. */
export async function playCell(place: CellPlace, run: RunPlace): Promise<CellObservation> {
  const { plan, upstream } = run;
  const left = deferred();
  const before = await breakUpstream(place, run, left.promise);
  const id = String(before);
  const counts = { askedAgain: false, attempts: Infinity };
  const mine = (): UpstreamAttempt[] =>
    (upstream?.attempts ?? [])
      .slice(before, counts.attempts)
      .filter(({ headers }) => (headers[CELL_HEADER] ?? id) === id);
  const client = clientOf(place, run, id, () => mine().length > 0);
  client.beforeNext = async () => {
    counts.askedAgain = true;
    counts.attempts = upstream?.attempts.length ?? 0;
    await mendUpstream(place, run);
  };
  const start = performance.now();
  const account = await talk(run.url, client);
  left.resolve();
  await untilOver(place, plan, mine);
  const leftAt = account?.ms.left === undefined ? undefined : start + account.ms.left;
  const attempts = upstream && mine().map((attempt) => seen(attempt, leftAt));
  await mendUpstream(place, run);
  return {
    account,
    attempts,
    askedAgain: counts.askedAgain,
    halfBytes: hasBody(place.method) ? Math.floor(plan.body.length / 2) : 0,
    upstreamHost: upstream && `127.0.0.1:${upstream.port}`,
    crashes: run.takeCrashes(),
  };
}

/** Waits until every call to the upstream has ended, or should have. */
async function untilOver(
  { client, method }: CellPlace,
  plan: ConformancePlan,
  mine: () => readonly UpstreamAttempt[],
): Promise<void> {
  if (client === 'leaves-in-request' && hasBody(method)) {
    await until(() => mine().length > 0, performance.now() + HALF_REQUEST_MS);
  }
  const end = soon(plan);
  do {
    await until(() => mine().every(({ state }) => state !== 'running'), end);
    // What an app does wrong with an error it does in the turns that follow; a call may also begin late.
    await pause(5);
  } while (mine().some(({ state }) => state === 'running') && performance.now() < end);
}

/** One whole request while the upstream is well. */
export function ask(method: string, { url, plan }: RunPlace): Promise<ClientAccount | undefined> {
  return talk(
    url,
    clientPlan({
      ...requestOf(method, plan),
      protocol: plan.protocol,
      patience: plan.deadline + plan.margin,
    }),
  );
}

async function talk(url: URL, client: ClientPlan): Promise<ClientAccount | undefined> {
  try {
    return client.protocol === 'http2' ? await talkHttp2(url, client) : await talkHttp1(url, client);
  } catch {
    return undefined;
  }
}

/** Sets the fault; gives the number of attempts that there were before. */
async function breakUpstream(place: CellPlace, run: RunPlace, left: Promise<void>): Promise<number> {
  const { upstream } = run;
  if (!upstream) return 0;
  if (place.fault === 'refuse') await upstream.refuse();
  else if (place.fault === 'stale') {
    // A connection is left in the app's pool that will be closed as soon as it is used again.
    upstream.use('stale');
    await ask(place.method, run);
    upstream.use('ok');
  } else upstream.use(faultOf(place, run.plan, left));
  return upstream.attempts.length;
}

async function mendUpstream({ fault }: CellPlace, { upstream }: RunPlace): Promise<void> {
  upstream?.use('ok');
  if (fault === 'refuse') await upstream?.accept();
}

function faultOf({ fault, client }: CellPlace, { deadline }: ConformancePlan, left: Promise<void>): Fault {
  if (fault === 'refuse' || fault === 'stale') return 'ok';
  const leaves = client === 'leaves-fin' || client === 'leaves-rst';
  if (fault === 'slow') return { fault, ms: deadline * (client === 'stays' ? 0.25 : 0.6) };
  if (fault === 'hang' || fault === 'hang-body') return fault;
  if (fault === 'ok' && client === 'leaves-in-response') return { fault: 'drip', chunks: 4, ms: 10 };
  // What would be over before the client can leave happens right after it has left.
  if (leaves) return fault === 'ok' ? { fault: 'slow', until: left } : { fault, until: left };
  return fault;
}

function clientOf(
  { fault, client, method }: CellPlace,
  { plan, upstream }: RunPlace,
  id: string,
  called: () => boolean,
): ClientPlan {
  const whole = requestOf(method, plan);
  const request = { ...whole, headers: { ...whole.headers, [CELL_HEADER]: id } };
  const next = { ...whole, headers: { ...whole.headers, [CELL_HEADER]: `${id} next` } };
  // These two are over at once, and a refused connection leaves no trace for which one could wait: the answer may come first.
  const atOnce = upstream === undefined || fault === 'refuse' || fault === 'stale';
  const after = (): number | Promise<void> => (atOnce ? 20 : until(called, soon(plan)));
  const options: Record<CellPlace['client'], () => ClientThatHangsUpOptions> = {
    stays: () => (plan.protocol === 'http1' ? { requests: [request, next], oneByOne: true } : request),
    'leaves-fin': () => ({ ...request, leave: 'after-request', how: 'fin', after: after() }),
    'leaves-rst': () => ({ ...request, leave: 'after-request', how: 'rst', after: after() }),
    'leaves-in-response': () => ({ ...request, leave: 'during-response' }),
    'leaves-in-request': () =>
      hasBody(method)
        ? { ...request, leave: 'during-body', after: until(called, performance.now() + HALF_REQUEST_MS) }
        : { ...request, leave: 'after-request', how: 'half-close', after: after() },
  };
  return clientPlan({ ...options[client](), protocol: plan.protocol, patience: plan.deadline + plan.margin });
}

function soon({ deadline, margin }: ConformancePlan): number {
  return performance.now() + deadline + margin;
}

function requestOf(method: string, { route, headers, body }: ConformancePlan): ClientThatHangsUpOptions {
  if (!hasBody(method)) return { method, path: route, headers };
  return { method, path: route, headers: { 'Content-Type': 'application/json', ...headers }, body };
}

function seen(attempt: UpstreamAttempt, leftAt: number | undefined): SeenAttempt {
  const { state, bodyBytes, bodyComplete, at, answeredAt, closed } = attempt;
  const end = answeredAt ?? closed?.at;
  return {
    state,
    bodyBytes,
    bodyComplete,
    tookMs: end === undefined ? undefined : end - at,
    afterLeavingMs: end === undefined || leftAt === undefined ? undefined : end - leftAt,
  };
}

async function until(true_: () => boolean, end: number): Promise<void> {
  while (!true_() && performance.now() < end) await pause(2);
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
