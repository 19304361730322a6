interface Sample {
  readonly ms: number;
  readonly at: number;
}

/** How many samples are kept and must agree. */
const KEPT = 4;
/** Two samples closer together than this are one event: several sockets that were closed at once. */
const SAME_MOMENT_MS = 50;
/** How far samples of one timer may lie apart: by the larger of a share and of what timers on a busy machine need. */
const SPREAD = 0.15;
const SPREAD_MS = 100;

/**
 * Durations that recur. The same length at two moments shows a timer; anything else may be chance, and gives no result.
 */
export class Recurring {
  private samples: Sample[] = [];

  /** @param spread - By which share of the longest the samples of one timer may differ. */
  constructor(private readonly spread = SPREAD) {}

  add(ms: number, at: number): void {
    this.samples.push({ ms, at });
    if (this.samples.length > KEPT) this.samples.shift();
  }

  /** Takes back what was learned since a moment: it turned out to have had another cause. */
  forgetSince(at: number): void {
    this.samples = this.samples.filter((sample) => sample.at < at);
  }

  clear(): void {
    this.samples = [];
  }

  get count(): number {
    return this.samples.length;
  }

  /** The duration that recurs, `undefined` while there is none. */
  get ms(): number | undefined {
    const [first] = this.samples;
    const last = this.samples.at(-1);
    if (!first || !last || last.at - first.at < SAME_MOMENT_MS) return undefined;
    const sorted = this.samples.map(({ ms }) => ms).sort((a, b) => a - b);
    const [shortest, longest] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
    if (longest - shortest > Math.max(SPREAD_MS, this.spread * longest)) return undefined;
    return sorted[Math.floor((sorted.length - 1) / 2)];
  }
}
