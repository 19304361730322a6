import type { FaultGroup, LateReport, OriginReport, OutcomesReport, Report, TimeoutReport } from '../report';
import { noOutcomes, type OutcomeCounts, type OutcomeHistory } from '../requests/outcomes';
import { MAX_ROUTES, OTHERS, type RouteCounts } from '../requests/route-table';
import { TimeHistogram } from '../requests/time-histogram';
import { isOfUpstream } from '../verdicts/verdict';
import { cutLists } from './cut-lists';

/** How much is shown, as in the report of one process. */
const MAX_LIVE = 100;
const MAX_FAULTS = 50;

/**
 * One report of several processes: counts are added, lists are put together. What it gives can be merged again, so that
 * the reports of hundreds of workers need not be in memory at once.
 */
export function mergeReports(reports: readonly Report[]): Report {
  const all = <Item>(list: (report: Report) => readonly Item[]): Item[] => reports.flatMap(list);
  return {
    at: Math.max(...reports.map(({ at }) => at)),
    listeningMs: Math.max(...reports.map(({ listeningMs }) => listeningMs)),
    processes: all(({ processes }) => processes).sort((a, b) => (a.worker ?? a.pid) - (b.worker ?? b.pid)),
    live: {
      count: reports.reduce((sum, { live }) => sum + live.count, 0),
      requests: all(({ live, processes: [one] }) =>
        live.requests.map((request) => ({ ...request, id: idAmongWorkers(request.id, one?.pid ?? 0) })),
      )
        .sort((a, b) => b.ageMs - a.ageMs)
        .slice(0, MAX_LIVE),
    },
    outcomes: mergeOutcomes(reports.map(({ outcomes }) => outcomes)),
    routes: mergeRoutes(all(({ routes }) => routes as RouteCounts[])),
    faults: all(({ faults }) => faults)
      .sort((a, b) => b.at - a.at)
      .slice(0, MAX_FAULTS),
    ...cutLists(
      {
        origins: mergeOrigins(all(({ origins }) => origins)),
        late: mergeLate(all(({ late }) => late)),
        timeouts: distinct(
          all(({ timeouts }) => timeouts),
          timeoutKey,
        ),
        findings: [...new Set(all(({ findings }) => findings))],
        faultGroups: mergeGroups(all(({ faultGroups }) => faultGroups)),
      },
      reports.map(({ leftOut }) => leftOut),
    ),
  };
}

/** Each process counts its own requests. What was merged before has its pid already. */
function idAmongWorkers(id: number | string, pid: number): string {
  return typeof id === 'number' ? `${pid}-${id}` : id;
}

function add<Counts extends object>(into: Counts, more: Counts): Counts {
  const sums = into as Record<string, number>;
  for (const [name, count] of Object.entries(more as Record<string, number>))
    sums[name] = (sums[name] ?? 0) + count;
  return into;
}

/** The processes' clocks differ by less than a bucket: their newest ones are the same. */
function mergeHistory(histories: readonly OutcomeHistory[]): OutcomeHistory {
  const [first] = histories;
  const buckets = (first?.buckets ?? []).map((_bucket, at) =>
    histories.reduce((sum, history) => add(sum, history.buckets[at] ?? noOutcomes()), noOutcomes()),
  );
  return { bucketMs: first?.bucketMs ?? 0, buckets };
}

function mergeOutcomes(outcomes: readonly OutcomesReport[]): OutcomesReport {
  return {
    ...mergeHistory(outcomes),
    total: outcomes.reduce<OutcomeCounts>((sum, { total }) => add(sum, total), noOutcomes()),
    hours: mergeHistory(outcomes.map(({ hours }) => hours)),
  };
}

/** Gathers what has the same key, in the order in which it was met. */
function gather<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const known = groups.get(key);
    if (known) known.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}

function distinct<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return gather(items, keyOf).flatMap(([first]) => (first === undefined ? [] : [first]));
}

function timeoutKey({ owner, name, ms }: TimeoutReport): string {
  return JSON.stringify([owner, name, ms]);
}

function mergeRoutes(routes: readonly RouteCounts[]): RouteCounts[] {
  const merged = gather(routes, ({ method, route }) => JSON.stringify([method, route]))
    .flatMap(mergeRoute)
    .sort((a, b) => b.requests - a.requests);
  const named = merged.filter(({ route }) => route !== OTHERS);
  const rest = [...named.slice(MAX_ROUTES), ...merged.filter(({ route }) => route === OTHERS)];
  const others = mergeRoute(rest).map((route) => ({ ...route, method: '', route: OTHERS }));
  return [...named.slice(0, MAX_ROUTES), ...others];
}

function mergeRoute(same: readonly RouteCounts[]): RouteCounts[] {
  const [first] = same;
  if (!first) return [];
  const took = new TimeHistogram();
  const left = new TimeHistogram();
  for (const { tookCounts, leftCounts } of same) {
    took.addCounts(tookCounts);
    left.addCounts(leftCounts);
  }
  const outcomes = same.reduce((sum, route) => add(sum, route.outcomes), noOutcomes());
  const requests = same.reduce((sum, route) => sum + route.requests, 0);
  return [
    {
      ...first,
      ...{ requests, outcomes, tookMs: took.percentiles(), leftMs: left.percentiles() },
      ...{ tookCounts: took.counts(), leftCounts: left.counts() },
    },
  ];
}

function mergeOrigins(origins: readonly OriginReport[]): OriginReport[] {
  return gather(origins, ({ origin }) => origin)
    .map((same) =>
      same.reduce((sum, one) => ({
        ...one,
        ...sum,
        requests: sum.requests + one.requests,
        openSockets: sum.openSockets + one.openSockets,
        savedByRetry: sum.savedByRetry + one.savedByRetry,
        resets: add({ ...sum.resets }, one.resets),
        verdicts: add({ ...sum.verdicts }, one.verdicts),
        upstreamIdle: sum.upstreamIdle ?? one.upstreamIdle,
        poolIdle: sum.poolIdle ?? one.poolIdle,
        cutsAfterMs: sum.cutsAfterMs ?? one.cutsAfterMs,
      })),
    )
    .sort((a, b) => faultsOf(b) - faultsOf(a) || b.requests - a.requests);
}

function faultsOf({ verdicts }: OriginReport): number {
  let sum = 0;
  for (const [verdict, count] of Object.entries(verdicts)) if (isOfUpstream(verdict)) sum += count;
  return sum;
}

function mergeLate(late: readonly LateReport[]): LateReport[] {
  return gather(late, ({ method, route }) => JSON.stringify([method, route]))
    .map((same) =>
      same.reduce((sum, one) => ({
        ...(one.lastAt > sum.lastAt ? one : sum),
        count: sum.count + one.count,
        longestMs: Math.max(sum.longestMs, one.longestMs),
      })),
    )
    .sort((a, b) => b.lastAt - a.lastAt);
}

function mergeGroups(groups: readonly FaultGroup[]): FaultGroup[] {
  return gather(groups, ({ last }) => groupKey(last))
    .map((same) =>
      same.reduce((sum, one) => ({
        count: sum.count + one.count,
        firstAt: Math.min(sum.firstAt, one.firstAt),
        lastAt: Math.max(sum.lastAt, one.lastAt),
        last: one.lastAt > sum.lastAt ? one.last : sum.last,
      })),
    )
    .sort((a, b) => b.lastAt - a.lastAt);
}

function groupKey({ code, status, method, route, outcome, upstream }: FaultGroup['last']): string {
  const { origin, verdict, trigger, where } = upstream ?? {};
  return JSON.stringify([code, status, method, route, outcome, origin, verdict, trigger, where]);
}
