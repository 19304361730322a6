import { classifyError } from '../answer/classify/classify-error';
import { fullJitterMs, retryAfterMs } from './backoff';
import type { Outcome } from './outcome';
import type { Plan } from './plan';

/** The answers after which a call may be sent again. */
const PASSING_STATUSES = new Set([502, 503, 504]);
/** No call waits longer for its next try, also where it has no deadline. */
const LONGEST_WAIT_MS = 30_000;

/** Whether an upstream that has answered so is well. */
export function isSuccess({ response }: Outcome): boolean {
  return response !== undefined && !PASSING_STATUSES.has(response.status);
}

/**
 * Why a call may be sent again after this outcome: the status, or the code of the fault; undefined where it may not.
 *
 * What is not idempotent may be sent again only if no byte of it has left, and what cannot be replayed never. A timeout is
 * no reason, but for the limit of a single try, which is set for just that.
 */
export function causeOfRetry(outcome: Outcome, plan: Plan): number | string | undefined {
  if (!plan.replayable) return undefined;
  if (outcome.response) {
    const { status } = outcome.response;
    return plan.idempotent && PASSING_STATUSES.has(status) ? status : undefined;
  }
  if (outcome.tookTooLong) return plan.idempotent ? 'UPSTREAM_TIMEOUT' : undefined;
  const code = classifyError(outcome.error)?.code;
  if (code !== 'UPSTREAM_RESET' && code !== 'UPSTREAM_REFUSED') return undefined;
  return plan.idempotent || !outcome.exchange.sent ? code : undefined;
}

/**
 * How long to wait before the next try, in ms; undefined where that would be too long.
 * @param retry - 1 for the first.
 */
export function waitBeforeRetry(outcome: Outcome, retry: number, remainingMs: number): number | undefined {
  const isFresh = retry === 1 && !outcome.response && outcome.exchange.stale;
  const asked = outcome.response ? (retryAfterMs(outcome.response.headers) ?? 0) : 0;
  // On top of what was asked for: all callers were asked for the same.
  const ms = isFresh ? 0 : asked + fullJitterMs(retry);
  return ms < Math.min(remainingMs, LONGEST_WAIT_MS) ? ms : undefined;
}
