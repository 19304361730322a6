import { Recurring } from './recurring';

/** If an upstream cuts a request sooner than this, it has failed, and no timer has run out. */
const SHORTEST_CUT_MS = 1000;
/** How many cuts must agree. */
const ENOUGH = 3;
/** Timers are exact: a share of the time by which the cuts of one may differ. */
const SPREAD = 0.05;

/** The evidence for a timer that cuts requests, in numbers. */
export interface CutEvidence {
  readonly ms: number;
  readonly cuts: number;
  /** The longest that a request had waited and was answered all the same. */
  readonly longestAnsweredMs: number;
}

/** How long requests had waited when the upstream closed their sockets, and how long those that were answered. */
export class WaitCuts {
  private readonly recurring = new Recurring(SPREAD);
  private targets: number[] = [];
  private longestAnsweredMs = 0;

  cut(waitedMs: number, target: number, at: number): void {
    if (waitedMs < SHORTEST_CUT_MS) return;
    this.recurring.add(waitedMs, at);
    this.targets.push(target);
    if (this.targets.length > ENOUGH + 1) this.targets.shift();
  }

  answered(waitedMs: number | undefined): void {
    if (waitedMs !== undefined && waitedMs > this.longestAnsweredMs) this.longestAnsweredMs = waitedMs;
  }

  forgetSince(at: number): void {
    this.recurring.forgetSince(at);
  }

  /**
   * The evidence for a timer: several requests were cut after the same time, for different things (one may be work at
   * which the upstream dies), and none that took longer was answered.
   */
  get evidence(): CutEvidence | undefined {
    const { ms, count } = this.recurring;
    if (ms === undefined || count < ENOUGH || new Set(this.targets).size < 2) return undefined;
    const { longestAnsweredMs } = this;
    return longestAnsweredMs < ms ? { ms, cuts: count, longestAnsweredMs } : undefined;
  }

  get ms(): number | undefined {
    return this.evidence?.ms;
  }
}
