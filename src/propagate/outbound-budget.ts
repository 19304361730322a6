import { OUTBOUND_BUDGET_HEADER, spendableMs } from '../request/budget';

const LOWER_CASE_NAME = OUTBOUND_BUDGET_HEADER.toLowerCase();

/** The budget that is sent to a service, in ms, from the request's remaining time; `undefined` if there is no limit. */
export function budgetMs(remainingMs: number): number | undefined {
  return remainingMs === Infinity ? undefined : spendableMs(remainingMs);
}

/** Whether the header of this name is the budget's. */
export function isBudgetHeader(name: unknown): boolean {
  return (
    typeof name === 'string' &&
    name.length === LOWER_CASE_NAME.length &&
    name.toLowerCase() === LOWER_CASE_NAME
  );
}
