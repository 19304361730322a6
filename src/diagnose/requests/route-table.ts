import type { RouteReport } from '../report';
import { TimeHistogram, type HistogramCounts } from './time-histogram';
import { noOutcomes, type OutcomeCounts, type RequestOutcome } from './outcomes';

/** How many routes are kept; the others are counted together. */
export const MAX_ROUTES = 200;
/** What stands for the routes beyond those. */
export const OTHERS = 'other routes';

interface RouteEntry {
  readonly method: string;
  readonly route: string | undefined;
  readonly outcomes: OutcomeCounts;
  readonly took: TimeHistogram;
  readonly left: TimeHistogram;
}

/** A route's counts, from which those of several processes can be put together. */
export interface RouteCounts extends RouteReport {
  readonly tookCounts: HistogramCounts;
  readonly leftCounts: HistogramCounts;
}

/** What became of the requests of each route, how long they took, and how much time they had left. */
export class RouteTable {
  private readonly byMethod = new Map<string, Map<string | undefined, RouteEntry>>();
  private size = 0;

  /** @param leftMs - What was left of the deadline; `Infinity` without one. */
  count(
    method: string,
    route: string | undefined,
    result: { outcome: RequestOutcome; tookMs: number; leftMs: number },
  ): void {
    const entry = this.entry(method, route);
    entry.outcomes[result.outcome]++;
    entry.took.add(result.tookMs);
    if (result.leftMs !== Infinity) entry.left.add(result.leftMs);
  }

  report(): RouteCounts[] {
    return [...this.byMethod.values()]
      .flatMap((routes) => [...routes.values()])
      .map((entry) => describeRoute(entry))
      .sort((a, b) => b.requests - a.requests);
  }

  private entry(method: string, route: string | undefined): RouteEntry {
    const known = this.byMethod.get(method)?.get(route);
    if (known) return known;
    if (this.size >= MAX_ROUTES && !(method === '' && route === OTHERS)) return this.entry('', OTHERS);
    const entry = {
      method,
      route,
      outcomes: noOutcomes(),
      took: new TimeHistogram(),
      left: new TimeHistogram(),
    };
    const routes = this.byMethod.get(method) ?? new Map<string | undefined, RouteEntry>();
    this.byMethod.set(method, routes);
    routes.set(route, entry);
    this.size++;
    return entry;
  }
}

function describeRoute({ method, route, outcomes, took, left }: RouteEntry): RouteCounts {
  return {
    method,
    route,
    requests: took.total,
    outcomes: { ...outcomes },
    tookMs: took.percentiles(),
    leftMs: left.percentiles(),
    tookCounts: took.counts(),
    leftCounts: left.counts(),
  };
}
