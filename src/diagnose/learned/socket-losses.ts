/** A request that was lost with its socket, before a byte of its answer. */
export interface Loss {
  readonly at: number;
  /** For how long the socket had been idle; `undefined` on its first request. */
  readonly idleMs: number | undefined;
  /** How long the request had been on the socket. */
  readonly waitedMs: number;
  /** Tells requests for different things apart; nothing can be read from it. */
  readonly target: number;
}

/** The evidence for stale sockets, in numbers. */
export interface StaleEvidence {
  readonly lost: number;
  /** The shortest idle time with which a socket was lost. */
  readonly idleMs: number;
  /** Requests that were answered on sockets that had been idle for less, or not at all. */
  readonly answeredYounger: number;
}

/** How many losses, and how many idle times of answered requests, are kept. */
const KEPT_LOSSES = 16;
const KEPT_ANSWERS = 256;
/** Below this idle time a socket is in use. */
const SHORTEST_IDLE_MS = 1000;
/** How many other requests must have been answered, so that the sockets are to blame and not the upstream. */
const ENOUGH_ANSWERED = 3;
/** Losses that lie closer together than this are one event. */
const SAME_MOMENT_MS = 50;
/** Losses and answers that are older than this are forgotten. */
const REMEMBERED_MS = 600_000;
/** How exact an upstream's timer is: as long as this beyond it a socket may still answer. */
const TOLERANCE = 1.05;
const TOLERANCE_MS = 100;
/** A dead socket fails within one round trip. No upstream works on a request for so short a time. */
const AT_ONCE_MS = 50;

/** Which requests were answered or lost, by how long their sockets had been idle. */
export class SocketLosses {
  private losses: Loss[] = [];
  private readonly idleOfAnswered = new Float64Array(KEPT_ANSWERS);
  private answers = 0;
  private fastestAnswerMs = Infinity;

  answered(idleMs: number | undefined, waitedMs: number | undefined): void {
    this.idleOfAnswered[this.answers++ % KEPT_ANSWERS] = idleMs ?? 0;
    if (waitedMs !== undefined && waitedMs < this.fastestAnswerMs) this.fastestAnswerMs = waitedMs;
  }

  lost(loss: Loss): void {
    this.forgetBefore(loss.at - REMEMBERED_MS);
    this.losses.push(loss);
    if (this.losses.length > KEPT_LOSSES) this.losses.shift();
  }

  /** A restart has taken these sockets: their idle times say nothing. */
  forgetSince(at: number): void {
    this.losses = this.losses.filter((loss) => loss.at < at);
  }

  /** How many requests have been answered, of those that are remembered. */
  get answeredCount(): number {
    return Math.min(this.answers, KEPT_ANSWERS);
  }

  /** Whether a request failed as fast as on a socket that the other side had closed long before. */
  isAtOnce(waitedMs: number): boolean {
    const fastest = this.fastestAnswerMs === Infinity ? 0 : this.fastestAnswerMs;
    return waitedMs <= Math.max(AT_ONCE_MS, 2 * fastest);
  }

  /**
   * The evidence that sockets which were idle for long are dead: several requests for different things were lost on such
   * sockets, none was lost on a younger one, and none was answered on one that had been idle for as long.
   */
  get stale(): StaleEvidence | undefined {
    const old = this.losses.filter((loss) => this.isOfOldSocket(loss));
    const [first] = old;
    const last = old.at(-1);
    if (!first || !last || last.at - first.at < SAME_MOMENT_MS || old.length < this.losses.length)
      return undefined;
    if (new Set(old.map(({ target }) => target)).size < 2) return undefined;
    const idleMs = Math.min(...old.map((loss) => loss.idleMs ?? 0));
    const answeredYounger = this.answeredBelow(idleMs);
    if (answeredYounger < ENOUGH_ANSWERED || this.isAnsweredBeyond(idleMs)) return undefined;
    return { lost: old.length, idleMs, answeredYounger };
  }

  /**
   * Whether nothing contradicts that a socket which was idle for so long was dead: no request was answered on an older
   * one, and none for the same thing was lost on a younger one.
   */
  agreesThatDeadAfter(idleMs: number, target: number): boolean {
    const isElsewhereToo = this.losses.some(
      (loss) => loss.target === target && (loss.idleMs ?? 0) < idleMs * 0.9,
    );
    return !isElsewhereToo && !this.isAnsweredBeyond(idleMs);
  }

  private isOfOldSocket({ idleMs, waitedMs }: Loss): boolean {
    return idleMs !== undefined && idleMs >= SHORTEST_IDLE_MS && this.isAtOnce(waitedMs);
  }

  private forgetBefore(at: number): void {
    this.losses = this.losses.filter((loss) => loss.at >= at);
  }

  private isAnsweredBeyond(idleMs: number): boolean {
    return this.answeredBelow(idleMs * TOLERANCE + TOLERANCE_MS) < this.answeredCount;
  }

  private answeredBelow(idleMs: number): number {
    let count = 0;
    for (let at = 0; at < this.answeredCount; at++) if ((this.idleOfAnswered[at] ?? 0) < idleMs) count++;
    return count;
  }
}
