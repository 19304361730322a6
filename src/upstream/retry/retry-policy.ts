import { classifyError } from '../../answer/classify/classify-error';
import type { AttemptResult } from '../call/attempt-result';
import type { CallPlan } from '../call/call-plan';
import { fullJitterMs, retryAfterMs } from './backoff';
import { isPassingStatus } from './passing-status';

/** No call waits longer than this for its next try, even without a deadline. */
const LONGEST_WAIT_MS = 30_000;

/** Whether a try was answered with another status than 502, 503 and 504. */
export function isSuccess(result: AttemptResult<unknown>): boolean {
  return !result.failed && !isPassingStatus(result.status);
}

/**
 * Why a call may be sent again after this result: the status, or the code of the fault; undefined where it may not.
 *
 * A call that is not idempotent may be sent again only if no byte of it has left. A call whose body can be read only once
 * is never sent again. A timeout is no reason to retry, except `attempt`, the limit of one try: it is set for that purpose.
 */
export function causeOfRetry(
  result: AttemptResult<unknown>,
  { source, idempotent }: Pick<CallPlan<unknown>, 'source' | 'idempotent'>,
): number | string | undefined {
  if (source) return undefined;
  if (!result.failed) {
    return idempotent && isPassingStatus(result.status) ? result.status : undefined;
  }
  if (result.tookTooLong) return idempotent ? 'UPSTREAM_TIMEOUT' : undefined;
  const code = classifyError(result.error)?.code;
  if (code !== 'UPSTREAM_RESET' && code !== 'UPSTREAM_REFUSED') return undefined;
  return idempotent || !result.wire.sent ? code : undefined;
}

/** Whether the upstream cannot have seen the call: a kept socket was dead before the call was written to it. */
export function isReplay(result: AttemptResult<unknown>): boolean {
  return result.failed && result.wire.stale;
}

/**
 * How long to wait before the next try, in ms; undefined where that would be too long.
 * @param header - Gives a header of the answer by its name in lower case; null where there is none.
 * @param retry - 1 for the first.
 */
export function waitBeforeRetry(
  header: (name: string) => string | null,
  retry: number,
  remainingMs: number,
): number | undefined {
  // The jitter is added to `Retry-After`, because all callers got the same value.
  const ms = (retryAfterMs({ get: header }) ?? 0) + fullJitterMs(retry);
  return ms < Math.min(remainingMs, LONGEST_WAIT_MS) ? ms : undefined;
}
