import { OUTBOUND_BUDGET_HEADER } from '../request/budget';

/** For the way back, and so that the other service's own 504 comes before ours. */
const MARGIN_MS = 10;
const MARGIN_SHARE = 0.05;

const LOWER_CASE_NAME = OUTBOUND_BUDGET_HEADER.toLowerCase();

/** What is said to a service that may spend the request's remaining time: less 5 %, at most 10 ms; `undefined` where there is no limit. */
export function budgetValue(remainingMs: number): string | undefined {
  if (remainingMs === Infinity) return undefined;
  return String(Math.floor(remainingMs - Math.min(MARGIN_MS, remainingMs * MARGIN_SHARE)));
}

/** Whether the header of this name is the budget's. */
export function isBudgetHeader(name: unknown): boolean {
  return (
    typeof name === 'string' &&
    name.length === LOWER_CASE_NAME.length &&
    name.toLowerCase() === LOWER_CASE_NAME
  );
}

/** What the app itself has said can only be shortened. */
export function isShorter(value: string, said: unknown): boolean {
  const text = String(said);
  return !/^\d{1,10}$/.test(text) || Number(value) < Number(text);
}
