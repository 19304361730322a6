/** Milliseconds of the monotonic clock that everything here is measured by. */
export function now(): number {
  return performance.now();
}

/** How recent an answer makes a refusal a restart. */
export const RECENTLY_MS = 60_000;

/** A duration in words: `80 ms`, `4.9 s`, `30 s`, `2.5 min`, `10 min`. The page says them alike (`page/words.js`). */
export function inWords(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Number((ms / 1000).toFixed(ms < 10_000 ? 1 : 0))} s`;
  const minutes = ms / 60_000;
  return minutes < 120 ? `${Number(minutes.toFixed(1))} min` : `${Number((minutes / 60).toFixed(1))} h`;
}
