/** Milliseconds of the monotonic clock that everything here is measured by. */
export function now(): number {
  return performance.now();
}

/** A duration in words: `80 ms`, `4.9 s`, `30 s`, `10 min`. */
export function inWords(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Number((ms / 1000).toFixed(ms < 10_000 ? 1 : 0))} s`;
  return `${Math.round(ms / 60_000)} min`;
}
