import { now } from './clock';
import type { OriginLog, Origins } from './learned/origin-log';
import { findingsOf, timeoutsOf } from './learned/timeouts';
import type { LeftOut, OriginReport, ProcessReport, Report } from './report';
import type { LateHandlers } from './requests/late-handlers';
import type { LiveRequests } from './requests/live-requests';
import type { OutcomeCounts, Outcomes } from './requests/outcomes';
import type { RecentFaults } from './requests/recent-faults';
import type { RouteTable } from './requests/route-table';
import { isOfUpstream } from './verdicts/verdict';
import { workerNumber } from './workers/worker-number';

/** What a report is made of. */
export interface Sources {
  readonly since: number;
  readonly origins: Origins;
  readonly faults: RecentFaults;
  readonly late: LateHandlers;
  readonly outcomes: Outcomes;
  readonly routes: RouteTable;
  readonly live: LiveRequests;
  /** The findings of `tuneServer()`. */
  readonly tuned: readonly string[];
}

/** How many origins a report shows. */
const MAX_SHOWN = 30;

/** The report of this process. */
export function reportOf(sources: Sources): Report {
  const { origins, faults, late, outcomes, routes, live, tuned } = sources;
  const logs = byFaults(origins.all());
  const shown = logs.slice(0, MAX_SHOWN);
  return {
    at: Date.now(),
    listeningMs: Math.round(now() - sources.since),
    processes: [describeProcess(sources)],
    live: live.report(),
    outcomes: outcomes.report(),
    routes: routes.report(),
    origins: shown.map(describeOrigin),
    late: late.report(),
    timeouts: timeoutsOf(live, shown),
    findings: [...tuned, ...findingsOf(live, logs)],
    faults: faults.report(),
    faultGroups: faults.grouped(),
    leftOut: leftOutOf(sources, logs.length - shown.length),
  };
}

function leftOutOf({ live, faults, late, origins }: Sources, notShown: number): LeftOut {
  return {
    requests: live.untracked,
    faults: faults.ungrouped,
    late: late.leftOut,
    servers: live.otherServers,
    origins: origins.dropped + notShown,
    timeouts: 0,
    findings: 0,
  };
}

function describeProcess({ since, live, outcomes, faults }: Sources): ProcessReport {
  return {
    pid: process.pid,
    worker: workerNumber(),
    listeningMs: Math.round(now() - since),
    live: live.report().count,
    requests: sumOf(outcomes.report().total),
    faults: faults.grouped().reduce((sum, { count }) => sum + count, faults.ungrouped),
  };
}

function sumOf(counts: OutcomeCounts): number {
  let sum = 0;
  for (const count of Object.values(counts) as number[]) sum += count;
  return sum;
}

function byFaults(logs: readonly OriginLog[]): OriginLog[] {
  return [...logs].sort((a, b) => faultsOf(b) - faultsOf(a) || b.requests - a.requests);
}

function faultsOf({ verdicts }: OriginLog): number {
  let sum = 0;
  for (const [verdict, count] of verdicts) if (isOfUpstream(verdict)) sum += count;
  return sum;
}

function describeOrigin(log: OriginLog): OriginReport {
  const { origin, requests, openSockets, resets, verdicts, idle, cuts, savedByRetry } = log;
  const { pool, upstream } = idle;
  return {
    origin,
    requests,
    openSockets,
    resets: { ...resets },
    savedByRetry,
    verdicts: Object.fromEntries(verdicts),
    upstreamIdle: upstream && { ...upstream, ms: Math.round(upstream.ms) },
    poolIdle: pool && { ...pool, ms: pool.ms === Infinity ? null : Math.round(pool.ms) },
    cutsAfterMs: cuts.ms === undefined ? undefined : Math.round(cuts.ms),
  };
}
