import { isWithinBudget, OUTBOUND_BUDGET_HEADER } from '../../request/budget';
import type { UndiciHeaders } from '../load-undici';
import { nameOf, type PlainHeaders } from './request-options';

const NAME = OUTBOUND_BUDGET_HEADER.toLowerCase();

/** The headers of a try: the caller's, and the budget. A budget header of the caller's own can only shorten it. */
export function withBudget(
  headers: UndiciHeaders | undefined,
  ms: number,
): UndiciHeaders | Record<string, string> | undefined {
  if (ms === Infinity) return headers;
  if (headers === undefined) return { [OUTBOUND_BUDGET_HEADER]: String(ms) };
  if (!isWithinBudget(headers.get(OUTBOUND_BUDGET_HEADER), ms)) {
    headers.set(OUTBOUND_BUDGET_HEADER, String(ms));
  }
  return headers;
}

/** The same for the headers of `request()`. */
export function withPlainBudget(headers: PlainHeaders | undefined, ms: number): PlainHeaders | undefined {
  if (ms === Infinity) return headers;
  if (headers === undefined) return { [OUTBOUND_BUDGET_HEADER]: String(ms) };
  const name = nameOf(headers, NAME) ?? OUTBOUND_BUDGET_HEADER;
  if (!isWithinBudget(headers[name], ms)) headers[name] = String(ms);
  return headers;
}
