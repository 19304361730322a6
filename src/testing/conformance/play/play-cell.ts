import { setTimeout as pause } from 'node:timers/promises';
import { clientPlan, type ClientPlan, type ClientThatHangsUpOptions } from '../../client/client-plan';
import type { UpstreamAttempt } from '../../upstream/upstream-log';
import { breakUpstream, mendUpstream, seenAttempt } from './breakage';
import type { Baseline, CellObservation, CellPlace } from '../cell';
import {
  beginTalk,
  deferred,
  HOLD_MS,
  patienceOf,
  requestOf,
  until,
  type BegunTalk,
  type Deferred,
  type RunPlace,
} from './conversation';
import { hasBody } from '../matrix';
import { playNeighbours } from './neighbours';
import { newAttempts, type NewAttempts } from './new-attempts';
import type { ConformancePlan } from '../plan';

/** How long an app may take to call its upstream for a request whose body never comes whole, in ms: most never do. */
const HALF_REQUEST_MS = 40;

/** How long work in the background may take to begin, in ms. */
const BACKGROUND_MS = 200;

/** A cell that has been played: the next one may begin while its connection is still being looked at. */
export interface PlayedCell {
  observation: Promise<CellObservation>;
}

/** A cell whose client has been sent. */
export interface BegunCell {
  readonly place: CellPlace;
  readonly numbers: readonly string[];
  readonly since: NewAttempts;
  /** When the client was sent, on the clock of `performance.now()`. */
  readonly start: number;
  readonly talk: BegunTalk;
  /** The first request of a client that stays is answered; the second one waits for `onNext`. */
  readonly firstAnswered: Promise<void>;
  /** Whether the client has sent its second request. */
  askedAgain: boolean;
  readonly moments: { left: Deferred; end: Deferred };
}

/** Plays one cell: sets the fault, sends the client, waits until all is over or should be, and tells what was seen. */
export async function playCell(place: CellPlace, run: RunPlace, baseline: Baseline): Promise<PlayedCell> {
  const { client } = place;
  if (client === 'two-at-once' || client === 'one-after-another')
    return { observation: Promise.resolve(await playNeighbours(place, run, baseline)) };
  const begun = await beginCell(place, run, baseline, async (cell) => {
    cell.since.stop();
    cell.moments.end.resolve();
    await mendUpstream(place, run);
  });
  await untilOver(begun, run.plan);
  // What the next cell calls is not this one's.
  const mine = begun.since.mine();
  const crashes = await run.takeCrashes();
  begun.moments.end.resolve();
  await mendUpstream(place, run);
  return { observation: observationOf(begun, mine, crashes, run, baseline) };
}

/** Sets the fault and sends the client. `onNext` is called before a client that stays sends its second request. */
export async function beginCell(
  place: CellPlace,
  run: RunPlace,
  baseline: Baseline,
  onNext: (cell: BegunCell) => Promise<void>,
): Promise<BegunCell> {
  const moments = { left: deferred(), end: deferred() };
  await breakUpstream(
    place,
    run,
    { left: moments.left.promise, over: moments.end.promise },
    baseline.calls.length,
  );
  const numbers = [run.nextNumber(), run.nextNumber()];
  const since = newAttempts(run, numbers[0] ?? '');
  const client = clientOf(place, run, numbers, () => since.mine().length >= (place.call ?? 1));
  const first = deferred();
  client.beforeNext = async () => {
    cell.askedAgain = true;
    first.resolve();
    await onNext(cell);
  };
  const start = performance.now();
  const talk = beginTalk(run.url, client);
  void talk.answered.then(first.resolve);
  const firstAnswered = first.promise;
  const cell: BegunCell = { place, numbers, since, start, talk, moments, firstAnswered, askedAgain: false };
  return cell;
}

/** What was seen of a cell, once its connection is over. */
export async function observationOf(
  { place, numbers, start, talk, ...cell }: BegunCell,
  mine: readonly UpstreamAttempt[],
  crashes: readonly string[],
  { plan, upstream }: RunPlace,
  baseline: Baseline,
): Promise<CellObservation> {
  const account = await talk.over;
  const leftAt = account?.ms.left === undefined ? undefined : start + account.ms.left;
  const body = Buffer.byteLength(requestOf(place.method, plan, numbers[0] ?? '').body ?? '');
  return {
    account,
    attempts: upstream && mine.map((attempt) => seenAttempt(attempt, leftAt)),
    numbers,
    askedAgain: cell.askedAgain,
    halfBytes: Math.floor(body / 2),
    upstreamHost: upstream && `127.0.0.1:${upstream.port}`,
    crashes,
    baseline,
  };
}

/** Waits until the client is done and every call to the upstream has ended, or should have. */
export async function untilOver(
  { place: { client, method }, since: { mine }, talk, moments }: BegunCell,
  plan: ConformancePlan,
): Promise<void> {
  await talk.answered;
  moments.left.resolve();
  if (plan.background) await until(() => mine().length > 0, performance.now() + BACKGROUND_MS);
  else if (client === 'leaves-in-request' && hasBody(method)) {
    await until(() => mine().length > 0, performance.now() + HALF_REQUEST_MS);
  }
  const end = soon(plan);
  do {
    await until(() => mine().every(({ state }) => state !== 'running'), end);
    // What an app does wrong with an error it does in the turns that follow; a call may also begin late.
    await pause(5);
  } while (mine().some(({ state }) => state === 'running') && performance.now() < end);
}

function clientOf(
  { fault, client, method }: CellPlace,
  { plan, upstream }: RunPlace,
  [first = '', second = '']: readonly string[],
  called: () => boolean,
): ClientPlan {
  const request = requestOf(method, plan, first);
  const next = requestOf(method, plan, second);
  // These two are over at once, and a refused connection leaves no trace for which one could wait: the answer may come first.
  const atOnce = upstream === undefined || fault === 'refuse' || fault === 'stale';
  const after = (): number | Promise<void> => (atOnce ? 20 : until(called, soon(plan)));
  const isHttp1 = plan.protocol === 'http1';
  const options: Record<string, () => ClientThatHangsUpOptions> = {
    stays: () => (isHttp1 ? { requests: [request, next], oneByOne: true, stay: HOLD_MS } : request),
    'leaves-fin': () => ({ ...request, leave: 'after-request', how: 'fin', after: after() }),
    'leaves-rst': () => ({ ...request, leave: 'after-request', how: 'rst', after: after() }),
    'leaves-in-response': () => ({ ...request, leave: 'during-response' }),
    'leaves-in-request': () =>
      hasBody(method)
        ? { ...request, leave: 'during-body', after: until(called, performance.now() + HALF_REQUEST_MS) }
        : { ...request, leave: 'after-request', how: 'half-close', after: after() },
  };
  const { protocol } = plan;
  return clientPlan({ ...options[client]?.(), protocol, patience: patienceOf(plan) });
}

function soon({ deadline, margin }: ConformancePlan): number {
  return performance.now() + deadline + margin;
}
