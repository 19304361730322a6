import type { Percentiles } from '../report';

/** Eight steps for each doubling, from 1 ms to 12 days: a percentile is right to within 9 percent. */
const STEPS = 8;
const BUCKETS = 30 * STEPS;

/** The counts of a histogram, as far as they are not zero: bucket, count, bucket, count, … */
export type HistogramCounts = readonly number[];

/** Counts times, in memory that does not grow. */
export class TimeHistogram {
  private readonly buckets = new Uint32Array(BUCKETS);
  /** How many times were counted. */
  total = 0;
  /** A percentile is a bucket's middle: that of the longest must not be longer than that. */
  private longestMs = 0;

  add(ms: number): void {
    if (ms > this.longestMs) this.longestMs = ms;
    const at = Math.round(Math.log2(Math.max(1, ms)) * STEPS);
    const bucket = Math.min(BUCKETS - 1, at);
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
    this.total++;
  }

  /** `undefined` while nothing was counted. */
  percentiles(): Percentiles | undefined {
    if (this.total === 0) return undefined;
    return { p5: this.percentile(0.05), p50: this.percentile(0.5), p95: this.percentile(0.95) };
  }

  counts(): HistogramCounts {
    return [...this.buckets].flatMap((count, bucket) => (count === 0 ? [] : [bucket, count]));
  }

  /** Adds what another histogram has counted. */
  addCounts(counts: HistogramCounts): void {
    this.longestMs = Infinity;
    for (let at = 0; at + 1 < counts.length; at += 2) {
      const [bucket = 0, count = 0] = [counts[at], counts[at + 1]];
      if (bucket >= BUCKETS) continue;
      this.buckets[bucket] = (this.buckets[bucket] ?? 0) + count;
      this.total += count;
    }
  }

  private percentile(share: number): number {
    const rank = Math.ceil(this.total * share);
    let seen = 0;
    for (const [bucket, count] of this.buckets.entries()) {
      seen += count;
      if (seen >= rank) return Math.round(Math.min(2 ** (bucket / STEPS), Math.max(1, this.longestMs)));
    }
    return Infinity;
  }
}
