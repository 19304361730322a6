import { Recurring } from './recurring';

/** How long something keeps an idle socket, and how that is known. */
export interface IdleLimitReport {
  ms: number;
  /** `seen`: by watching; `announced`: by the upstream's `Keep-Alive` header; `setting`: by the pool's own timeout. */
  by: 'seen' | 'announced' | 'setting';
}

/** The shortest idle time that can say anything of a timer: below it a pool was merely full, or a server was stopping. */
const SHORTEST_MS = 50;

/** How long the upstream and this process's pool keep an idle socket: where they disagree, requests are lost. */
export class LearnedIdleLimit {
  /** The `timeout` that the upstream announces in its `Keep-Alive` header, in ms. */
  announcedMs: number | undefined;
  /** The pool's own setting, where it can be read; `Infinity` where it keeps sockets for ever. */
  poolSettingMs: number | undefined;
  private longestAliveMs = 0;
  private readonly closedByUpstream = new Recurring();
  private readonly closedByPool = new Recurring();

  /** The upstream was seen to close a socket that had been idle for `idleMs`. */
  upstreamClosed(idleMs: number, at: number): void {
    if (idleMs >= SHORTEST_MS) this.closedByUpstream.add(idleMs, at);
  }

  /** The pool has closed a socket that had been idle for `idleMs`. */
  poolClosed(idleMs: number, at: number): void {
    if (idleMs >= SHORTEST_MS) this.closedByPool.add(idleMs, at);
  }

  /** A request got its answer on a socket that had been idle for `idleMs`. */
  stayedAlive(idleMs: number): void {
    if (idleMs <= this.longestAliveMs) return;
    this.longestAliveMs = idleMs;
    const learned = this.closedByUpstream.ms;
    if (learned !== undefined && idleMs > learned * 1.5) this.closedByUpstream.clear();
  }

  /** What was learned since `at` had another cause: the upstream was restarted. */
  forgetSince(at: number): void {
    this.closedByUpstream.forgetSince(at);
  }

  /** After how long the upstream closes an idle socket, as far as that is known. */
  get upstream(): IdleLimitReport | undefined {
    const seen = this.closedByUpstream.ms;
    if (seen !== undefined) return { ms: seen, by: 'seen' };
    return this.announcedMs === undefined ? undefined : { ms: this.announcedMs, by: 'announced' };
  }

  /** After how long the pool closes an idle socket, as far as that is known. */
  get pool(): IdleLimitReport | undefined {
    if (this.poolSettingMs !== undefined) return { ms: this.poolSettingMs, by: 'setting' };
    const seen = this.closedByPool.ms;
    return seen === undefined ? undefined : { ms: seen, by: 'seen' };
  }
}
