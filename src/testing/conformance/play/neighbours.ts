import type { RunFault } from '../upstream';
import { setTimeout as pause } from 'node:timers/promises';
import { clientPlan } from '../../client/client-plan';
import { answering, mendUpstream, seenAttempt, settled } from './breakage';
import type { Baseline, CellObservation, CellPlace } from '../cell';
import { isExpected } from '../expectations';
import { ask, beginTalk, deferred, patienceOf, requestOf, until, type RunPlace } from './conversation';

/** How many requests follow one another. */
const REQUESTS = 8;

/** How long two clients at once may take to arrive both at the upstream, in ms: an app may let one wait for the other. */
const BOTH_MS = 150;

/** How long after one client has left the other one's call goes on, in ms: what is done to it is done by then. */
const AFTERWARDS_MS = 25;

/** How long a connection may take to be closed that is not kept, in ms. */
const CLOSING_MS = 150;

/** Plays a cell in which there is more than one client. */
export async function playNeighbours(
  place: CellPlace,
  run: RunPlace,
  baseline: Baseline,
): Promise<CellObservation> {
  const seen =
    place.client === 'two-at-once' ? await twoAtOnce(place, run) : await oneAfterAnother(place, run);
  const upstreamHost = run.upstream && `127.0.0.1:${run.upstream.port}`;
  return {
    ...seen,
    askedAgain: false,
    halfBytes: 0,
    upstreamHost,
    crashes: await run.takeCrashes(),
    baseline,
  };
}

type Seen = Pick<CellObservation, 'account' | 'numbers' | 'attempts' | 'beside' | 'opened'>;

/** Two clients: both stay (ok), the first one leaves (slow), or the first call of both is reset. */
async function twoAtOnce(place: CellPlace, run: RunPlace): Promise<Seen> {
  const { plan, upstream, url } = run;
  const before = upstream?.attempts.length ?? 0;
  const arrived = (): number => (upstream?.attempts.length ?? 0) - before;
  const both = until(() => arrived() >= 2, performance.now() + Math.min(BOTH_MS, plan.deadline * 0.3));
  const left = deferred();
  breakForTwo(place, run, both, left.promise);
  const [one, two] = [run.nextNumber(), run.nextNumber()];
  const common = { protocol: plan.protocol, patience: patienceOf(plan) };
  const leaving = place.fault === 'slow' ? ({ leave: 'after-request', after: both } as const) : {};
  const first = beginTalk(url, clientPlan({ ...requestOf(place.method, plan, one), ...common, ...leaving }));
  const second = beginTalk(url, clientPlan({ ...requestOf(place.method, plan, two), ...common }));
  const account = await first.over;
  await pause(AFTERWARDS_MS);
  left.resolve();
  const beside = { account: await second.over, number: two };
  const since = upstream?.attempts.slice(before) ?? [];
  const end = performance.now() + plan.deadline + plan.margin;
  await until(() => since.every(({ state }) => state !== 'running'), end);
  await mendUpstream(place, run);
  const attempts = upstream && since.map((attempt) => seenAttempt(attempt, undefined));
  return { account, numbers: [one], attempts, beside };
}

function breakForTwo(
  { fault }: CellPlace,
  { upstream, plan }: RunPlace,
  both: Promise<void>,
  left: Promise<void>,
): void {
  let count = 0;
  // What one call's failure does to the other is done before that is answered.
  const later = both.then(() => pause(AFTERWARDS_MS));
  const well: RunFault = { fault: 'slow', until: fault === 'slow' ? left : fault === 'reset' ? later : both };
  upstream?.use(() => {
    count += 1;
    return fault === 'reset' && count === 1 ? { fault, until: both } : answering(well, plan.answer);
  });
}

/** The same request again and again, each on a connection of its own, while all is well. */
async function oneAfterAnother(place: CellPlace, run: RunPlace): Promise<Seen> {
  const { upstream, plan } = run;
  const calls = upstream?.attempts ?? [];
  const [before, callsBefore, since] = [upstream?.sockets ?? 0, calls.length, performance.now()];
  // Connections of before may end meanwhile, and would hide as many new ones: those of these requests are counted as well.
  const more = (): number => {
    const used = new Set(calls.slice(callsBefore).map(({ socket }) => socket));
    const kept = [...used].filter(({ closed, openedAt }) => closed === undefined && openedAt >= since);
    return Math.max(kept.length, (upstream?.sockets ?? 0) - before);
  };
  const failed: number[] = [];
  let last = await ask(place.method, run).over;
  const numbers: string[] = [];
  for (let i = 1; i < REQUESTS; i += 1) {
    last = await ask(place.method, run).over;
    if (plan.background) await settled(run, upstream?.attempts.length ?? 0);
    const { status = 0, complete } = last?.response ?? {};
    if (complete !== true || !isExpected(status, plan.expected.ok)) failed.push(status);
  }
  await until(() => more() < REQUESTS / 2, performance.now() + CLOSING_MS);
  return {
    account: last,
    numbers,
    attempts: upstream && [],
    opened: { requests: REQUESTS, more: more(), failed },
  };
}
