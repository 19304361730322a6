import { CallSites } from './calls/call-sites';
import { CallStarts } from './calls/call-starts';
import { watchClients } from './calls/watch-clients';
import { now } from './clock';
import { checkDiagnoseOptions, type DiagnoseOptions } from './diagnose-options';
import { Origins } from './learned/origin-log';
import { reportOf, type Sources } from './make-report';
import { pageHandler, type PageHandler } from './page/page-handler';
import type { Report } from './report';
import { FaultFile } from './requests/fault-file';
import { knownMethod } from './requests/known-method';
import { LateHandlers } from './requests/late-handlers';
import { LiveRequests } from './requests/live-requests';
import { Outcomes } from './requests/outcomes';
import { RecentFaults } from './requests/recent-faults';
import { RequestTickets } from './requests/request-ticket';
import { RouteTable } from './requests/route-table';
import { watchEvents } from './requests/watch-events';
import { routeOf } from '../request/route/route';
import { findingsIn } from './tuning';
import { RecentAborts } from './verdicts/recent-aborts';
import { WorkerReports } from './workers/worker-reports';

/** The result of `diagnose()`. */
export interface Diagnosis {
  /** The current report on this process, as plain JSON. */
  report: () => Report;
  /** A handler for `app.use('/_hangup', page)`: a live page for people, the report for programs (`Accept`). */
  page: PageHandler;
  /** Stops listening; later faults have no notes on their upstream. The last report stays readable. */
  stop: () => void;
}

/**
 * Begins to listen to the events that Node's http and undici publish for every client in the process, and finds out
 * which side closed a connection. From then on each fault of `classifyError()` describes its upstream, with a
 * verdict and the line of the app that made the call. If there is evidence, it has one sentence of advice. The
 * memory is bounded, and holds no query string, credential or body.
 * @throws {TypeError | RangeError} for options that are unknown or wrong.
 */
export function diagnose(options: DiagnoseOptions = {}): Diagnosis {
  const { whereShare } = checkDiagnoseOptions(options);
  const tuned = findingsIn(options.tuning);
  const file = options.file === undefined ? undefined : new FaultFile(options.file);
  const faults = new RecentFaults((fault) => file?.write(fault));
  const { sources, stop: endListening } = listen(faults, whereShare, tuned);
  const report = (): Report => reportOf(sources);
  const workers = new WorkerReports(report);
  const writeFaults = (): void => {
    faults.tellUnanswered();
    file?.close();
  };
  if (file) process.on('exit', writeFaults);
  const stop = (): void => {
    process.off('exit', writeFaults);
    writeFaults();
    workers.stop();
    endListening();
  };
  const ignore = sources.live.ignore.bind(sources.live);
  return { report, page: pageHandler(workers, ignore, options.allow), stop };
}

function listen(
  faults: RecentFaults,
  whereShare: number,
  tuned: readonly string[],
): { sources: Sources; stop: () => void } {
  const origins = new Origins();
  const late = new LateHandlers();
  const outcomes = new Outcomes();
  const routes = new RouteTable();
  const aborts = new RecentAborts();
  const tickets = new RequestTickets();
  const live = new LiveRequests(
    {
      onEnd(ended) {
        outcomes.count(ended.outcome, ended.at);
        routes.count(knownMethod(ended.req.method), routeOf(ended.req), ended);
      },
      onDeparture: () => aborts.note('CLIENT_CLOSED_REQUEST'),
    },
    tickets,
  );
  const starts = new CallStarts(new CallSites(whereShare), tickets);
  const endClients = watchClients({ origins, starts, aborts, faults });
  const endEvents = watchEvents(faults, late, aborts);
  return {
    sources: { since: now(), origins, faults, late, outcomes, routes, live, tuned },
    stop() {
      endClients();
      endEvents();
      live.stop();
      tickets.stop();
    },
  };
}
