/** The first retry comes after 0 to 100 ms, the next after 0 to 200 ms, and so on. */
const BASE_MS = 100;
const MAX_MS = 2000;

/**
 * A wait with "full jitter": a random time from 0 to a limit that doubles with each retry. So the callers of an upstream
 * that has failed do not all come back at once. AWS Architecture Blog, "Exponential Backoff And Jitter", 2015.
 *
 * @param retry - 1 for the first.
 */
export function fullJitterMs(retry: number): number {
  return Math.random() * Math.min(MAX_MS, BASE_MS * 2 ** (retry - 1));
}

/**
 * How long a response asks to wait (`Retry-After`), in ms; undefined where it does not ask, or not in a form of RFC 9110,
 * 10.2.3. A date is compared with the response's own `Date`: the clocks of two machines may differ.
 */
export function retryAfterMs(headers: Pick<Headers, 'get'>): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const at = httpDate(value);
  const now = httpDate(headers.get('date')) ?? Date.now();
  return at === undefined ? undefined : Math.max(0, at - now);
}

/** An HTTP-date begins with the name of a day; `Date.parse` alone would take almost anything, `-5` included. */
function httpDate(value: string | null): number | undefined {
  if (value === null || !/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(value)) return undefined;
  // The oldest form, that of C's asctime(), is in GMT but does not say so.
  const at = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(at) ? undefined : at;
}
