import type { FaultCode, UpstreamInfo } from '../answer/fault';
import type { IdleLimitReport } from './learned/idle-limit';
import type { ResetCounts } from './learned/origin-log';
import type { RequestIds } from './requests/request-ids';
import type { OutcomeCounts, OutcomeHistory } from './requests/outcomes';

/** The result of `diagnose().report()`: plain JSON. Times are milliseconds; `null` means no limit. */
export interface Report {
  /** When the report was made, in milliseconds since 1970. */
  at: number;
  /** For how long `diagnose()` has been listening. */
  listeningMs: number;
  /** The process, or all workers whose reports were put together. */
  processes: ProcessReport[];
  live: LiveReport;
  outcomes: OutcomesReport;
  /** The routes, those with most requests first. */
  routes: RouteReport[];
  /** The upstreams, those with most faults first. */
  origins: OriginReport[];
  /** The handlers that answered late, the latest first. */
  late: LateReport[];
  timeouts: TimeoutReport[];
  /** Timeouts and settings that contradict each other, in words. */
  findings: string[];
  /** The latest faults, the newest first. */
  faults: FaultReport[];
  /** All faults by kind, the kind that was seen last first. */
  faultGroups: FaultGroup[];
  /** What is missing above, because the memory is bounded. */
  leftOut: LeftOut;
}

/** What the lists of a report leave out; 0 where they are complete. */
export interface LeftOut {
  /** Requests that came while 10,000 others were in flight. They are in no count. */
  requests: number;
  /** Faults of the kinds that were not seen for longest, and are not in `faultGroups` any more. */
  faults: number;
  /** Late responses on routes that are not in `late` any more. */
  late: number;
  /** Servers of the process whose timeouts are not in `timeouts`. */
  servers: number;
  /** Upstreams that are not in `origins`; one that came back counts twice. Of several workers, the least number. */
  origins: number;
  /** Of several workers, entries that are not in `timeouts` and `findings`; the least number. */
  timeouts: number;
  findings: number;
}

/** One process. */
export interface ProcessReport {
  pid: number;
  /** Its number among the workers of a cluster, or of PM2; `undefined` if it is no worker. */
  worker: number | undefined;
  listeningMs: number;
  /** Requests in flight. */
  live: number;
  /** Requests that are over. */
  requests: number;
  faults: number;
}

/** Percentiles in ms, exact to within 9 percent: 5, 50 or 95 of 100 times are shorter. */
export interface Percentiles {
  p5: number;
  p50: number;
  p95: number;
}

/** One route, by its pattern; `undefined` stands for requests that reached none. */
export interface RouteReport {
  method: string;
  route: string | undefined;
  requests: number;
  outcomes: OutcomeCounts;
  /** From the request's arrival to its end; `undefined` while nothing was counted. */
  tookMs: Percentiles | undefined;
  /** The time that was left of the deadline at the end; `undefined` if no request had a deadline. */
  leftMs: Percentiles | undefined;
}

/** Faults of one kind. */
export interface FaultGroup {
  count: number;
  /** In ms since 1970, like the next. */
  firstAt: number;
  lastAt: number;
  last: FaultReport;
}

/** The requests that this process is serving now (HTTP/1: Node publishes none of HTTP/2). */
export interface LiveReport {
  count: number;
  /** Those that have waited longest, at most 100. */
  requests: LiveRequest[];
}

export interface LiveRequest {
  /** The same request has the same id in the next report; among several workers it begins with the process's. */
  id: number | string;
  method: string;
  /** The route's pattern; `undefined` until a route has matched. */
  route: string | undefined;
  ageMs: number;
  /** The deadline from the request's arrival; `null` for none. */
  deadlineMs: number | null;
  /** The time left of the deadline; `null` without a deadline, and once the response has begun. */
  remainingMs: number | null;
  /** Whether the response has begun. */
  isAnswering: boolean;
}

/** How the requests of the last minutes ended. */
export interface OutcomesReport extends OutcomeHistory {
  /** Since `diagnose()` was called. */
  total: OutcomeCounts;
  /** The last twelve hours, by five minutes. */
  hours: OutcomeHistory;
}

/** One upstream. */
export interface OriginReport {
  origin: string;
  requests: number;
  openSockets: number;
  /** Resets and unexpected closes, by the kind of socket on which they came. */
  resets: ResetCounts;
  /** Calls that failed and were then sent again with success, so that there was no fault. */
  savedByRetry: number;
  /** How often each verdict was given. */
  verdicts: Record<string, number>;
  /** After how long the upstream closes idle sockets, as far as that is known. */
  upstreamIdle: IdleLimitReport | undefined;
  /** After how long this process's pool closes idle sockets; `ms: null` for never. */
  poolIdle: { ms: number | null; by: IdleLimitReport['by'] } | undefined;
  /** After how long the upstream cuts requests that it has not answered, if that recurs. */
  cutsAfterMs: number | undefined;
}

/** A route whose handler wrote after its request had been answered for it. */
export interface LateReport {
  method: string;
  route: string | undefined;
  count: number;
  /** The method that it called the last time: `json`, `end`, … */
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
  /** The code that `classifyError()` gives it. */
  code: FaultCode | undefined;
  method: string | undefined;
  route: string | undefined;
  /** From the request's arrival to the fault. */
  ms: number | undefined;
  status: number | undefined;
  /**
   * The outcome in `gatewayErrorHandler()`; `undefined` if the app handled the error itself, or none has handled it
   * yet.
   */
  outcome: 'answered' | 'broken' | 'discarded' | undefined;
  /** How often the call was tried. */
  attempts: number;
  /** The ids by which the request is found in other logs. */
  ids: RequestIds;
  upstream: UpstreamInfo | undefined;
}
