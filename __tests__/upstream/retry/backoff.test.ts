import type { RetryEvent } from 'express-hangup';
import undici from 'undici';
import { fullJitterMs } from '../../../src/upstream/retry/backoff';
import { collect } from '../../fixtures/events';
import { answers, client, scriptedUpstream } from '../scripted-upstream';

/** The largest distance between how samples are distributed and how they would be, were all of [0, limit) equally likely. */
function distanceFromUniform(samples: number[], limit: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return Math.max(
    ...sorted.map((value, index) =>
      Math.max(
        Math.abs(value / limit - index / sorted.length),
        Math.abs(value / limit - (index + 1) / sorted.length),
      ),
    ),
  );
}

describe('the wait before a retry', () => {
  it.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [5, 1600],
    [6, 2000],
    [10, 2000],
  ])('number %i is anything below %i ms, all of it equally likely', (retry, limit) => {
    const samples = Array.from({ length: 10_000 }, () => fullJitterMs(retry));
    expect(Math.min(...samples)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...samples)).toBeLessThan(limit);
    // Kolmogorov and Smirnov: seen by chance once in 30 million runs.
    expect(distanceFromUniform(samples, limit)).toBeLessThan(0.03);
  });

  it('is as long as it is announced, for callers that fail all at once', async () => {
    const CALLERS = 120;
    const answeredAt = new Map<string, number>();
    const gaps = new Map<string, number>();
    const { origin } = await scriptedUpstream((req, res) => {
      const caller = req.url!;
      const before = answeredAt.get(caller);
      if (before !== undefined) gaps.set(caller, performance.now() - before);
      answeredAt.set(caller, performance.now());
      if (before === undefined) answers[503](req, res);
      else answers.ok(req, res);
    });
    const retries = collect<RetryEvent>('retry');
    // A client each: one budget would not pay for so many.
    const calls = Array.from({ length: CALLERS }, (_, n) => client(undici, origin).fetch(null, `/${n}`));
    await Promise.all(calls);
    const announced = retries.all.map(({ delayMs }) => delayMs);
    expect(announced).toHaveLength(CALLERS);
    expect(distanceFromUniform(announced, 100)).toBeLessThan(0.25);
    const kept = [...gaps.values()].sort((a, b) => a - b);
    announced.sort((a, b) => a - b).forEach((delay, n) => expect(kept[n]).toBeGreaterThan(delay - 2));
  });
});
