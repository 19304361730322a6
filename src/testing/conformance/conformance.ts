import type { ConformanceCell } from './cell';
import { judge } from './judge';
import { conformancePlan, type ConformanceOptions, type ConformancePlan } from './plan';
import { ask, playCell, type RunPlace } from './run';
import { conformanceTable } from './table';
import { reach, type Target } from '../client/client-target';
import { watchCrashes } from '../watches/crash-watch';
import { faultyUpstream, type FaultyUpstream } from '../upstream/faulty-upstream';

/** What a run of `conformance()` came to. */
export interface ConformanceResult {
  readonly cells: readonly ConformanceCell[];
  /** Whether no cell is wrong. Cells that could not be seen do not count: look at `unseen`. */
  readonly ok: boolean;
  readonly right: number;
  readonly wrong: number;
  readonly unseen: number;
  /** The matrix to read. */
  table: () => string;
  /** Throws an Error that holds the table, where a cell is wrong. */
  expectRight: () => void;
  /** The same as plain data. */
  readonly json: {
    readonly route: string;
    readonly deadline: number;
    readonly cells: readonly ConformanceCell[];
  };
}

/**
 * Plays the fault matrix against a route of an app: each fault of its upstream, each way in which a client stays or leaves,
 * each method; and judges for every cell what client and upstream have seen. Takes an app, a server, or the URL of one that
 * runs. Throws an Error where the route does not work while its upstream is well, because then nothing else means anything.
 */
export async function conformance(
  target: Target,
  options: ConformanceOptions = {},
): Promise<ConformanceResult> {
  const plan = conformancePlan(options);
  const lent = typeof options.upstream === 'function' ? undefined : options.upstream;
  const own = typeof options.upstream === 'function' ? await faultyUpstream() : undefined;
  const crashes = watchCrashes();
  try {
    if (own && typeof options.upstream === 'function') await options.upstream(own.url);
    const { url, release } = await reach(target, plan.protocol);
    try {
      const run = { plan, url, upstream: own ?? lent, takeCrashes: crashes.take };
      return resultOf(plan, url, await playAll(run));
    } finally {
      release();
    }
  } finally {
    crashes.stop();
    lent?.use(undefined);
    await own?.close();
  }
}

async function playAll(run: RunPlace): Promise<ConformanceCell[]> {
  const { plan, upstream } = run;
  for (const method of plan.methods) await refuseDeadRoute(method, run);
  const cells: ConformanceCell[] = [];
  for (const method of plan.methods) {
    for (const fault of plan.faults) {
      for (const client of plan.clients) {
        const place = { method, fault, client };
        const hidden = whyUnseen(place, plan, upstream);
        cells.push(
          hidden === undefined ? judge(place, await playCell(place, run), plan) : unseenCell(place, hidden),
        );
      }
    }
  }
  return cells;
}

/** Nothing can be said of a route that is not there. One that fails while all is well is wrong, cell by cell. */
async function refuseDeadRoute(method: string, run: RunPlace): Promise<void> {
  const { plan, upstream } = run;
  const before = upstream?.attempts.length ?? 0;
  upstream?.use('ok');
  const account = await ask(method, run);
  const where = `conformance(): ${method} ${plan.route}`;
  if (!account) throw new Error(`${where}: nobody accepts connections at ${run.url.origin}.`);
  const status = account.response?.status ?? 500;
  if (status < 500 && (status < 200 || status > 299)) {
    throw new Error(
      `${where} answered ${status} while its upstream was well. Set route, headers and body, or leave the method out: methods: ['GET'].`,
    );
  }
  if (upstream && status < 500 && upstream.attempts.length === before) {
    throw new Error(
      `${where} answered without a call to the upstream at ${upstream.url}: it calls another one.`,
    );
  }
}

function whyUnseen(
  { fault, client, method }: Pick<ConformanceCell, 'fault' | 'client' | 'method'>,
  plan: ConformancePlan,
  upstream: FaultyUpstream | undefined,
): string | undefined {
  if (upstream === undefined && fault !== 'ok') {
    return 'the upstream is not ours to break; point the app at a faultyUpstream() and give it as `upstream`';
  }
  if (plan.protocol === 'http2' && client === 'leaves-in-request' && method === 'GET') {
    return 'HTTP/2 has no half-close of a request without a body';
  }
  return undefined;
}

function unseenCell(
  place: Pick<ConformanceCell, 'fault' | 'client' | 'method'>,
  why: string,
): ConformanceCell {
  const nothing = { status: undefined, complete: undefined, ended: undefined, ms: undefined, attempts: [] };
  return { ...place, verdict: 'unseen', why, ...nothing };
}

function resultOf(plan: ConformancePlan, url: URL, cells: readonly ConformanceCell[]): ConformanceResult {
  const count = (verdict: ConformanceCell['verdict']): number =>
    cells.filter((cell) => cell.verdict === verdict).length;
  const wrong = count('wrong');
  const table = (): string => conformanceTable(`${plan.route} at ${url.origin}`, cells);
  return {
    cells,
    ok: wrong === 0,
    right: count('right'),
    wrong,
    unseen: count('unseen'),
    table,
    expectRight: () => {
      if (wrong > 0) throw new Error(`${wrong} of ${cells.length} cells are wrong.\n\n${table()}`);
    },
    json: { route: plan.route, deadline: plan.deadline, cells },
  };
}
