import { classifyError } from '../../answer/classify/classify-error';
import { fullJitterMs, retryAfterMs } from './backoff';
import type { AttemptResult } from '../call/attempt-result';
import type { CallPlan } from '../call/call-plan';

/** The answers after which a call may be sent again. */
const PASSING_STATUSES = new Set([502, 503, 504]);
/** No call waits longer for its next try, also where it has no deadline. */
const LONGEST_WAIT_MS = 30_000;

/** Whether an upstream that has answered so is well. */
export function isSuccess({ response }: AttemptResult): boolean {
  return response !== undefined && !PASSING_STATUSES.has(response.status);
}

/**
 * Why a call may be sent again after this result: the status, or the code of the fault; undefined where it may not.
 *
 * What is not idempotent may be sent again only if no byte of it has left, and what cannot be replayed never. A timeout is
 * no reason, but for the limit of a single try, which is set for just that.
 */
export function causeOfRetry(result: AttemptResult, plan: CallPlan): number | string | undefined {
  if (!plan.replayable) return undefined;
  if (result.response) {
    const { status } = result.response;
    return plan.idempotent && PASSING_STATUSES.has(status) ? status : undefined;
  }
  if (result.tookTooLong) return plan.idempotent ? 'UPSTREAM_TIMEOUT' : undefined;
  const code = classifyError(result.error)?.code;
  if (code !== 'UPSTREAM_RESET' && code !== 'UPSTREAM_REFUSED') return undefined;
  return plan.idempotent || !result.wire.sent ? code : undefined;
}

/**
 * How long to wait before the next try, in ms; undefined where that would be too long.
 * @param retry - 1 for the first.
 */
export function waitBeforeRetry(
  result: AttemptResult,
  retry: number,
  remainingMs: number,
): number | undefined {
  const isFresh = retry === 1 && !result.response && result.wire.stale;
  const asked = result.response ? (retryAfterMs(result.response.headers) ?? 0) : 0;
  // On top of what was asked for: all callers were asked for the same.
  const ms = isFresh ? 0 : asked + fullJitterMs(retry);
  return ms < Math.min(remainingMs, LONGEST_WAIT_MS) ? ms : undefined;
}
