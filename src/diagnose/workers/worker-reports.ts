import type { Report } from '../report';
import { GatheredReports } from './gathered-reports';
import { isMessage, type WorkerMessage } from './messages';
import { joinPm2Workers, type Pm2Workers } from './pm2-workers';
import { clusterOfWorker } from './worker-number';

/** How long the page waits for a primary that may not call `relayReports()`. */
const PRIMARY_WITHIN_MS = 1500;
/** After a primary has not answered it is asked again only so much later. */
const ASK_AGAIN_MS = 30_000;

const ALONE =
  'This report shows one worker of a cluster: the primary does not call relayReports(cluster), or has not answered in 1.5 s.';

let lastId = 0;

/** The reports of all workers of PM2, or of a cluster whose primary passes them on; else that of this process. */
export class WorkerReports {
  private silentSince = -Infinity;
  private readonly pm2: Pm2Workers | undefined;
  private readonly endAnswering: () => void;
  private asking: Promise<Report> | undefined;

  constructor(private readonly own: () => Report) {
    this.pm2 = joinPm2Workers(own);
    this.endAnswering = answerPrimary(own);
  }

  /** Stops answering. From then on this process is missing in the other workers' reports. */
  stop(): void {
    this.pm2?.leave();
    this.endAnswering();
  }

  /** All workers' report; only this process's if it is no worker, or its primary does not call `relayReports()`. */
  all(): Promise<Report> {
    // However many pages are open, the workers are asked once at a time.
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async ask(): Promise<Report> {
    // PM2's primary does not answer.
    if (this.pm2) return this.pm2.all();
    if (!clusterOfWorker()) return this.own();
    if (performance.now() - this.silentSince < ASK_AGAIN_MS) return this.alone();
    const answers = new GatheredReports();
    const missing = await askPrimary(answers);
    if (missing === undefined) {
      this.silentSince = performance.now();
      return this.alone();
    }
    return answers.merged(missing) ?? this.own();
  }

  /** The report of this worker, which says that the others are missing in it. */
  private alone(): Report {
    const report = this.own();
    return { ...report, findings: [ALONE, ...report.findings] };
  }
}

/** Gathers the answers that the primary hands over. Gives how many are missing; `undefined` if the primary is silent. */
function askPrimary(answers: GatheredReports): Promise<number | undefined> {
  const id = ++lastId;
  return new Promise((resolve) => {
    const finish = (missing: number | undefined): void => {
      clearTimeout(timer);
      process.off('message', onMessage);
      resolve(missing);
    };
    const onMessage = (message: unknown): void => {
      if (isMessage(message, 'express-hangup:one') && message.id === id) {
        timer.refresh();
        answers.add(message.report);
      }
      if (!isMessage(message, 'express-hangup:reports') || message.id !== id) return;
      const { reports, missing } = message as Partial<typeof message>;
      if (!Array.isArray(reports)) return;
      for (const report of reports) answers.add(report);
      // A primary of an older version does not count who is missing.
      finish(typeof missing === 'number' ? missing : 0);
    };
    const timer = setTimeout(finish, PRIMARY_WITHIN_MS, undefined);
    process.on('message', onMessage);
    send({ type: 'express-hangup:ask', id });
  });
}

/** In a worker: answers the primary that asks for its report. Gives the function that ends it. */
function answerPrimary(report: () => Report): () => void {
  if (!clusterOfWorker()) return () => undefined;
  const onMessage = (message: unknown): void => {
    if (isMessage(message, 'express-hangup:report?'))
      send({ type: 'express-hangup:report', id: message.id, report: report() });
  };
  // A worker lives until it disconnects from its primary, whether or not somebody listens.
  process.on('message', onMessage);
  return () => process.off('message', onMessage);
}

function send(message: WorkerMessage): void {
  // The primary may have ended just now.
  process.send?.(message, undefined, {}, () => undefined);
}
