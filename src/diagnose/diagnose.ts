import type { IncomingMessage } from 'node:http';
import { channels } from '../events';
import { checkNames, optionalFunction } from '../options';
import { now } from './clock';
import { LateHandlers } from './requests/late-handlers';
import { LiveRequests } from './requests/live-requests';
import { Origins, type OriginLog } from './learned/origin-log';
import { Outcomes } from './requests/outcomes';
import { pageHandler, type PageHandler } from './page/page-handler';
import { RecentFaults } from './requests/recent-faults';
import type { OriginReport, Report } from './report';
import { SocketLogs, type SocketLog } from './calls/socket-log';
import { findingsOf, timeoutsOf } from './learned/timeouts';
import { findingsIn, type Tuning } from './tuning';
import { HttpWatcher } from './calls/watch-http';
import { watchUndici } from './calls/watch-undici';

/** The options of `diagnose()`. */
export interface DiagnoseOptions {
  /**
   * Who may see the page, instead of the default: this machine only, which is decided by the connection's address. Return
   * `true` where the app has checked by itself.
   */
  allow?: (req: IncomingMessage) => boolean;
  /** What `tuneServer()` has given: its findings are shown with the others. */
  tuning?: Tuning | readonly Tuning[];
}

/** What `diagnose()` gives. */
export interface Diagnosis {
  /** What is known now, as plain JSON. */
  report: () => Report;
  /** A handler for `app.use('/_hangup', page)`: a live page for people, the report for programs (`Accept`). */
  page: PageHandler;
  /** Ends the listening, and with it the notes on errors. The last report stays readable. */
  stop: () => void;
}

/** How many origins a report shows. */
const MAX_SHOWN = 30;

/**
 * Begins to listen to what Node's http and undici publish for every client in the process, and finds out who reset whom:
 * from then on each fault of `classifyError()` carries what is known of its upstream, with a verdict and, where the
 * pattern is known, one sentence of advice. What is kept is bounded, and holds no query string, header, credential or body.
 * @throws {TypeError} for options that are unknown or wrong.
 */
export function diagnose(options: DiagnoseOptions = {}): Diagnosis {
  checkNames('diagnose()', options, ['allow', 'tuning']);
  optionalFunction('diagnose(): option "allow"', options.allow);
  const tuned = findingsIn(options.tuning);
  const since = now();
  const origins = new Origins();
  const faults = new RecentFaults();
  const late = new LateHandlers();
  const outcomes = new Outcomes();
  const live = new LiveRequests((outcome) => outcomes.count(outcome));
  const endClients = watchClients(origins, faults);
  const endEvents = watchEvents(faults, late);

  const report = (): Report => {
    const logs = byFaults(origins.all());
    return {
      at: Date.now(),
      listeningMs: Math.round(now() - since),
      live: live.report(),
      outcomes: outcomes.report(),
      origins: logs.slice(0, MAX_SHOWN).map(describe),
      late: late.report(),
      timeouts: timeoutsOf(live, logs.slice(0, MAX_SHOWN)),
      findings: [...tuned, ...findingsOf(live, logs)],
      faults: faults.report(),
    };
  };
  const stop = (): void => {
    endClients();
    endEvents();
    live.stop();
  };
  return { report, page: pageHandler(report, (res) => live.ignore(res), options.allow), stop };
}

function watchClients(origins: Origins, faults: RecentFaults): () => void {
  const sockets = new SocketLogs({
    onFree: (log) => http.freed(log),
    onClose: (log) => {
      http.closed(log);
      learnFromClose(log);
    },
  });
  const watched = { origins, sockets, onFailure: faults.failed.bind(faults) };
  const http = new HttpWatcher(watched);
  const endUndici = watchUndici(watched);
  return () => {
    http.stop();
    endUndici();
    sockets.stop();
  };
}

/** An idle socket has closed: whose timer was it? */
function learnFromClose(log: SocketLog): void {
  const { origin, isTimedOut, endedBy, showsPeer } = log;
  if (!origin) return;
  origin.openSockets = Math.max(0, origin.openSockets - 1);
  const at = now();
  const idleMs = log.idleMs(at);
  if (idleMs === undefined) return;
  if (isTimedOut) origin.idle.poolClosed(idleMs, at);
  else if (endedBy !== undefined || !showsPeer) origin.closedIdle(idleMs, at);
}

function watchEvents(faults: RecentFaults, late: LateHandlers): () => void {
  const onFault = faults.answered.bind(faults) as Parameters<typeof channels.fault.subscribe>[0];
  const onLate = late.note.bind(late) as Parameters<typeof channels.lateResponse.subscribe>[0];
  channels.fault.subscribe(onFault);
  channels.lateResponse.subscribe(onLate);
  return () => {
    channels.fault.unsubscribe(onFault);
    channels.lateResponse.unsubscribe(onLate);
  };
}

function byFaults(logs: readonly OriginLog[]): OriginLog[] {
  return [...logs].sort((a, b) => faultsOf(b) - faultsOf(a) || b.requests - a.requests);
}

function faultsOf({ verdicts }: OriginLog): number {
  let sum = 0;
  for (const count of verdicts.values()) sum += count;
  return sum;
}

function describe(log: OriginLog): OriginReport {
  const { origin, requests, openSockets, resets, verdicts, idle, cuts } = log;
  const { pool, upstream } = idle;
  return {
    origin,
    requests,
    openSockets,
    resets: { ...resets },
    verdicts: Object.fromEntries(verdicts),
    upstreamIdle: upstream && { ...upstream, ms: Math.round(upstream.ms) },
    poolIdle: pool && { ...pool, ms: pool.ms === Infinity ? null : Math.round(pool.ms) },
    cutsAfterMs: cuts.ms === undefined ? undefined : Math.round(cuts.ms),
  };
}
