import type { ServerHttp2Stream } from 'node:http2';
import { lifetimeOf } from '../../request/lifetime/lifetime-of';
import { routeOf } from '../../request/route/route';
import type { Answer } from '../traffic/traffic';

/** How requests ended. */
export interface DrainCounts {
  /** Answered completely. */
  finished: number;
  /** Still running at `timeout`: their signal aborted, and those whose response had not started were answered 503. */
  aborted: number;
  /** Destroyed with their connection at `force`, or by a second signal. */
  forced: number;
  /** The client left before it had its answer. */
  gone: number;
}

/** What a drain did with the requests that were in flight when it began, and with those that came during it. */
export interface DrainReport extends DrainCounts {
  /** The same by method and route pattern, `GET /users/:id`. */
  byRoute: Record<string, DrainCounts>;
  /** How long the drain took, in milliseconds. */
  ms: number;
}

/** Counts for the report. */
export class DrainTally {
  private readonly total = noCounts();
  private readonly byRoute = new Map<string, DrainCounts>();

  count(label: string, outcome: keyof DrainCounts): void {
    const own = this.byRoute.get(label) ?? noCounts();
    this.byRoute.set(label, own);
    own[outcome] += 1;
    this.total[outcome] += 1;
  }

  report(ms: number): DrainReport {
    return { ...this.total, byRoute: Object.fromEntries(this.byRoute), ms: Math.round(ms) };
  }
}

function noCounts(): DrainCounts {
  return { finished: 0, aborted: 0, forced: 0, gone: 0 };
}

/** Method and route pattern, for the report; never a path. */
export function labelOf(answer: Answer): string {
  if (!('req' in answer)) return 'HTTP/2 stream';
  const { req } = answer;
  const { route = routeOf(req) } = lifetimeOf(req) ?? {};
  return `${req.method ?? ''} ${route ?? '(no route)'}`;
}

/** Whether an answer that is over had been sent completely. */
export function wasCompleted(answer: Answer): boolean {
  // On HTTP/2 Node sets a response's `writableFinished` even if the client has cancelled it. So its stream is asked.
  const stream = 'req' in answer ? (answer as { stream?: ServerHttp2Stream }).stream : answer;
  if (stream !== undefined) return stream.rstCode === 0 && !stream.aborted;
  return answer.writableFinished;
}
