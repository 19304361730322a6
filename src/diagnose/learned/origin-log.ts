import { now } from '../clock';
import { printable } from '../printable';
import { BodyCuts } from './body-cuts';
import { Closings } from './closings';
import { LearnedIdleLimit } from './idle-limit';
import { SocketLosses, type Loss } from './socket-losses';
import { WaitCuts } from './wait-cuts';

/** How many origins are kept; the one that was not used for longest makes room. */
const MAX_ORIGINS = 100;
/** A name longer than any host name (RFC 1035, 2.3.4) with scheme and port is not kept whole. */
const MAX_NAME = 300;

/** By which kind of socket resets came: fresh, reused, or not known. */
export interface ResetCounts {
  first: number;
  reused: number;
  unknown: number;
}

/** What is known of one upstream. */
export class OriginLog {
  /** Requests that were written to a socket. */
  requests = 0;
  lastUsedAt = now();
  lastAnswerAt: number | undefined;
  openSockets = 0;
  /** Connections that undici has begun to make. */
  connecting = 0;
  connectingSince = 0;
  /** Calls that failed, and that were then sent again with success. */
  savedByRetry = 0;
  readonly resets: ResetCounts = { first: 0, reused: 0, unknown: 0 };
  /** Their letters come from a table, so that they are few. */
  readonly verdicts = new Map<string, number>();
  readonly idle = new LearnedIdleLimit();
  readonly closings = new Closings();
  readonly losses = new SocketLosses();
  readonly cuts = new WaitCuts();
  readonly bodies = new BodyCuts();

  constructor(readonly origin: string) {}

  count(verdict: string): void {
    this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1);
  }

  /** An answer has begun. */
  answered(idleMs: number | undefined, waitedMs: number | undefined): void {
    if (idleMs !== undefined) this.idle.stayedAlive(idleMs);
    this.losses.answered(idleMs, waitedMs);
    this.cuts.answered(waitedMs);
  }

  /** The upstream has closed a socket on which nothing was under way. */
  closedIdle(idleMs: number, at: number): void {
    this.idle.upstreamClosed(idleMs, at);
    this.noteClosing({ at, isIdle: true, ms: idleMs });
  }

  /** The upstream has closed a socket with a request on it, before a byte of the answer. */
  lost(loss: Loss): void {
    this.losses.lost(loss);
    this.cuts.cut(loss.waitedMs, loss.target, loss.at);
    // What closes as soon as it is asked has closed for the question: it says nothing of the other sockets.
    if (!this.losses.isAtOnce(loss.waitedMs))
      this.noteClosing({ at: loss.at, isIdle: false, ms: loss.waitedMs });
  }

  private noteClosing(closing: Parameters<Closings['add']>[0]): void {
    const restartedSince = this.closings.add(closing);
    if (restartedSince === undefined) return;
    this.idle.forgetSince(restartedSince);
    this.cuts.forgetSince(restartedSince);
    this.losses.forgetSince(restartedSince);
  }
}

/** The upstreams of this process, as many as are kept. */
export class Origins {
  private readonly logs = new Map<string, OriginLog>();
  /** How often one has made room. */
  dropped = 0;

  /** The log of an origin, made when it is first asked for. */
  of(name: string): OriginLog {
    // node:http takes any text as a host, and that may come from a client.
    const origin = printable(name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name);
    return this.keep(this.logs.get(origin) ?? new OriginLog(origin));
  }

  /** Takes back in what had to make room and is used again by a socket that still refers to it. */
  keep(log: OriginLog): OriginLog {
    log.lastUsedAt = now();
    if (this.logs.has(log.origin)) return this.logs.get(log.origin) ?? log;
    if (this.logs.size >= MAX_ORIGINS) this.dropOldest();
    this.logs.set(log.origin, log);
    return log;
  }

  all(): OriginLog[] {
    return [...this.logs.values()];
  }

  private dropOldest(): void {
    const [oldest] = this.all().sort((a, b) => a.lastUsedAt - b.lastUsedAt);
    if (oldest && this.logs.delete(oldest.origin)) this.dropped++;
  }
}
