import type { FaultCode, UpstreamInfo } from '../answer/fault';
import type { IdleLimitReport } from './learned/idle-limit';
import type { ResetCounts } from './learned/origin-log';
import type { OutcomeCounts } from './requests/outcomes';

/** What `diagnose().report()` gives: plain JSON. Times are milliseconds; where there is no limit, `null`. */
export interface Report {
  /** When the report was made, in milliseconds since 1970. */
  at: number;
  /** For how long `diagnose()` has been listening. */
  listeningMs: number;
  live: LiveReport;
  outcomes: OutcomesReport;
  /** The upstreams, those with most faults first. */
  origins: OriginReport[];
  /** The handlers that answered late, the latest first. */
  late: LateReport[];
  timeouts: TimeoutReport[];
  /** What disagrees, in words. */
  findings: string[];
  /** The newest first. */
  faults: FaultReport[];
}

/** The requests that this process is serving now (HTTP/1: Node publishes none of HTTP/2). */
export interface LiveReport {
  count: number;
  /** Those that have waited longest, at most 100. */
  requests: LiveRequest[];
}

export interface LiveRequest {
  /** The same request has the same number in the next report. */
  id: number;
  method: string;
  /** The route's pattern; `undefined` until a route has matched. */
  route: string | undefined;
  ageMs: number;
  /** The deadline from the request's arrival; `null` for none. */
  deadlineMs: number | null;
  /** What is left of it; `null` without a deadline, and once the response has begun. */
  remainingMs: number | null;
  /** Whether the response has begun. */
  isAnswering: boolean;
}

/** What became of the requests, over the last minutes. */
export interface OutcomesReport {
  bucketMs: number;
  /** The oldest first, the one that is being filled last. */
  buckets: OutcomeCounts[];
  /** Since `diagnose()` was called. */
  total: OutcomeCounts;
}

/** One upstream. */
export interface OriginReport {
  origin: string;
  requests: number;
  openSockets: number;
  /** Resets and unexpected closes, by the kind of socket on which they came. */
  resets: ResetCounts;
  /** How often each verdict was given. */
  verdicts: Record<string, number>;
  /** After how long the upstream closes idle sockets, as far as that is known. */
  upstreamIdle: IdleLimitReport | undefined;
  /** After how long this process's pool does; `ms: null` for never. */
  poolIdle: { ms: number | null; by: IdleLimitReport['by'] } | undefined;
  /** After how long it cuts requests that it has not answered, if that recurs. */
  cutsAfterMs: number | undefined;
}

/** A route whose handler wrote after its request had been answered for it. */
export interface LateReport {
  method: string;
  route: string | undefined;
  count: number;
  /** What it called the last time: `json`, `end`, … */
  call: string;
  longestMs: number;
  lastAt: number;
  /** Where it was called the last time; `undefined` in production. */
  where: string | undefined;
}

/** One timeout, to be compared with the others. */
export interface TimeoutReport {
  /** Whose it is: `this server`, or an origin. */
  owner: string;
  name: string;
  /** `null` for none. */
  ms: number | null;
  /** How it is known. */
  by: 'setting' | 'seen' | 'announced';
}

/** One fault: a call that failed, what was answered for it, or both. */
export interface FaultReport {
  at: number;
  /** What `classifyError()` makes of it. */
  code: FaultCode | undefined;
  method: string | undefined;
  route: string | undefined;
  /** From the request's arrival to the fault. */
  ms: number | undefined;
  status: number | undefined;
  /** What `gatewayErrorHandler()` did; `undefined` where the app dealt with the error in its own way, or has not yet. */
  outcome: 'answered' | 'broken' | 'discarded' | undefined;
  upstream: UpstreamInfo | undefined;
}
