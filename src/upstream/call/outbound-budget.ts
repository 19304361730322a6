import { OUTBOUND_BUDGET_HEADER } from '../../request/budget';
import type { UndiciHeaders } from '../load-undici';

/** For the way back, and so that the upstream's own 504 comes before ours. */
const MARGIN_MS = 10;
const MARGIN_SHARE = 0.05;

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
  const said = headers.get(OUTBOUND_BUDGET_HEADER) ?? '';
  if (!/^\d{1,10}$/.test(said) || Number(said) > ms) headers.set(OUTBOUND_BUDGET_HEADER, String(ms));
  return headers;
}
