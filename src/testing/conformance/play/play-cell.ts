import { setTimeout as pause } from 'node:timers/promises';
import { clientPlan, type ClientPlan, type ClientThatHangsUpOptions } from '../../client/client-plan';
import type { UpstreamAttempt } from '../../upstream/upstream-log';
import { breakUpstream, mendUpstream, seenAttempt } from './breakage';
import type { Baseline, CellObservation, CellPlace } from '../cell';
import {
  beginTalk,
  CELL_HEADER,
  deferred,
  HOLD_MS,
  patienceOf,
  requestOf,
  until,
  type RunPlace,
} from './conversation';
import { hasBody } from '../matrix';
import { playNeighbours } from './neighbours';
import type { ConformancePlan } from '../plan';

/** How long an app may take to call its upstream for a request whose body never comes whole, in ms: most never do. */
const HALF_REQUEST_MS = 40;

/** How long work in the background may take to begin, in ms. */
const BACKGROUND_MS = 200;

/** A cell that has been played: the next one may begin while its connection is still being looked at. */
export interface PlayedCell {
  observation: Promise<CellObservation>;
}

/** Plays one cell: sets the fault, sends the client, waits until all is over or should be, and tells what was seen. */
export async function playCell(place: CellPlace, run: RunPlace, baseline: Baseline): Promise<PlayedCell> {
  const { client } = place;
  if (client === 'two-at-once' || client === 'one-after-another')
    return { observation: Promise.resolve(await playNeighbours(place, run, baseline)) };
  const { plan, upstream } = run;
  const [left, end] = [deferred(), deferred()];
  await breakUpstream(place, run, { left: left.promise, over: end.promise }, baseline.calls.length);
  const numbers = [run.nextNumber(), run.nextNumber()];
  const since = newAttempts(run, numbers[0] ?? '');
  const talk = clientOf(place, run, numbers, () => since.mine().length >= (place.call ?? 1));
  let askedAgain = false;
  talk.beforeNext = async () => {
    askedAgain = true;
    since.stop();
    end.resolve();
    await mendUpstream(place, run);
  };
  const start = performance.now();
  const { answered, over } = beginTalk(run.url, talk);
  await answered;
  left.resolve();
  await untilOver(place, plan, since.mine);
  const mine = since.mine();
  const crashes = run.takeCrashes();
  end.resolve();
  await mendUpstream(place, run);
  const body = Buffer.byteLength(requestOf(place.method, plan, numbers[0] ?? '').body ?? '');
  const observation = over.then((account) => {
    const leftAt = account?.ms.left === undefined ? undefined : start + account.ms.left;
    const attempts = upstream && mine.map((attempt) => seenAttempt(attempt, leftAt));
    const upstreamHost = upstream && `127.0.0.1:${upstream.port}`;
    return {
      account,
      attempts,
      numbers,
      askedAgain,
      halfBytes: Math.floor(body / 2),
      upstreamHost,
      crashes,
      baseline,
    };
  });
  return { observation };
}

/** The attempts that come from now on, without those that say they belong to another request. */
export function newAttempts(
  { upstream }: RunPlace,
  number: string,
): { mine: () => UpstreamAttempt[]; stop: () => void } {
  const attempts = upstream?.attempts ?? [];
  const before = attempts.length;
  let end = Infinity;
  return {
    mine: () =>
      attempts.slice(before, end).filter(({ headers }) => (headers[CELL_HEADER] ?? number) === number),
    stop: () => {
      end = attempts.length;
    },
  };
}

/** Waits until every call to the upstream has ended, or should have. */
async function untilOver(
  { client, method }: CellPlace,
  plan: ConformancePlan,
  mine: () => readonly UpstreamAttempt[],
): Promise<void> {
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
