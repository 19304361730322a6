import { OUTBOUND_BUDGET_HEADER } from '../../request/budget';
import type { UndiciHeaders } from '../load-undici';
import { nameOf, type PlainHeaders } from './request-options';

/** For the way back, and so that the upstream's own 504 comes before ours. */
const MARGIN_MS = 10;
const MARGIN_SHARE = 0.05;

const NAME = OUTBOUND_BUDGET_HEADER.toLowerCase();

/** What an upstream may spend of the time that remains, in whole ms: less a margin of 5 %, at most 10 ms. */
export function spendableMs(remainingMs: number): number {
  return Math.floor(remainingMs - Math.min(MARGIN_MS, remainingMs * MARGIN_SHARE));
}

/** The headers of a try: the caller's, and the time that the upstream has. What the caller itself says can only shorten it. */
export function withBudget(
  headers: UndiciHeaders | undefined,
  ms: number,
): UndiciHeaders | Record<string, string> | undefined {
  if (ms === Infinity) return headers;
  if (headers === undefined) return { [OUTBOUND_BUDGET_HEADER]: String(ms) };
  if (!isShorter(headers.get(OUTBOUND_BUDGET_HEADER) ?? '', ms)) {
    headers.set(OUTBOUND_BUDGET_HEADER, String(ms));
  }
  return headers;
}

/** The same for the headers of `request()`. */
export function withPlainBudget(headers: PlainHeaders | undefined, ms: number): PlainHeaders | undefined {
  if (ms === Infinity) return headers;
  if (headers === undefined) return { [OUTBOUND_BUDGET_HEADER]: String(ms) };
  const name = nameOf(headers, NAME) ?? OUTBOUND_BUDGET_HEADER;
  if (!isShorter(String(headers[name] ?? ''), ms)) headers[name] = String(ms);
  return headers;
}

function isShorter(said: string, ms: number): boolean {
  return /^\d{1,10}$/.test(said) && Number(said) <= ms;
}
