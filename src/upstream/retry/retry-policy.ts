import { classifyError } from '../../answer/classify/classify-error';
import type { AttemptResult } from '../call/attempt-result';
import type { CallPlan } from '../call/call-plan';
import { fullJitterMs, retryAfterMs } from './backoff';
import { isPassingStatus } from './passing-status';

/** No call waits longer for its next try, also where it has no deadline. */
const LONGEST_WAIT_MS = 30_000;

/** Whether an upstream that has answered so is well. */
export function isSuccess(result: AttemptResult<unknown>): boolean {
  return !result.failed && !isPassingStatus(result.status);
}

/**
 * Why a call may be sent again after this result: the status, or the code of the fault; undefined where it may not.
 *
 * What is not idempotent may be sent again only if no byte of it has left, and what cannot be replayed never. A timeout is
 * no reason, but for the limit of a single try, which is set for just that.
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
  // On top of what was asked for: all callers were asked for the same.
  const ms = (retryAfterMs({ get: header }) ?? 0) + fullJitterMs(retry);
  return ms < Math.min(remainingMs, LONGEST_WAIT_MS) ? ms : undefined;
}
