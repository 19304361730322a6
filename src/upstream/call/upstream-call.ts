import { rememberUpstream, upstreamOf } from '../../answer/upstream-info';
import { channels } from '../../events';
import type { CallScope } from './call-scope';
import { WireAttempt } from './wire-attempt';
import { AttemptTimeoutError, callErrorOf } from './call-error';
import type { LearningPool } from '../sockets/learning-pool';
import type { Undici } from '../load-undici';
import { spendableMs, withBudget } from './outbound-budget';
import type { AttemptResult } from './attempt-result';
import type { CallPlan } from './call-plan';
import { causeOfRetry, isSuccess, waitBeforeRetry } from '../retry/retry-policy';
import type { RetryBudget } from '../retry/retry-budget';

/** What the calls of an upstream share. */
export interface Shared {
  readonly undici: Undici;
  readonly sockets: LearningPool;
  readonly budget: RetryBudget;
  readonly counts: { requests: number; retries: number };
}

/** One call of `fetch()`, with all its tries. */
export class UpstreamCall {
  constructor(
    private readonly shared: Shared,
    private readonly plan: CallPlan,
    private readonly scope: CallScope,
  ) {}

  /** Tries until there is something to hand over, and leaves nothing behind. */
  async run(): Promise<Response> {
    try {
      for (let attempt = 1; ; attempt++) {
        const result = await this.try(attempt);
        const waitMs = this.planRetry(result, attempt);
        if (waitMs === undefined) return this.conclude(result);
        discard(result);
        await this.pause(waitMs);
      }
    } catch (error) {
      this.scope.release();
      throw error;
    }
  }

  private async try(attempt: number): Promise<AttemptResult> {
    const { scope, plan, shared } = this;
    const wire = new WireAttempt(shared.sockets, attempt);
    const remaining = scope.remaining();
    if (spendableMs(remaining) < 1) scope.expire();
    this.throwIfEnded(wire);

    const limit = new AttemptLimit(plan.attemptMs);
    // An AbortController and undici's listening to it cost more than all the rest of this.
    const controller = scope.canEnd || limit.ms !== Infinity ? new AbortController() : undefined;
    const cancel = (reason: unknown): void => {
      wire.giveUp();
      controller?.abort(reason);
    };
    scope.onEnd = cancel;
    limit.start(cancel);
    const init = {
      ...plan.init,
      signal: controller?.signal,
      headers: this.headers(remaining),
      dispatcher: wire,
    };
    try {
      const response = (await shared.undici.fetch(plan.url, init as never)) as unknown as Response;
      this.throwIfEnded(wire);
      return { wire, response };
    } catch (error) {
      this.throwIfEnded(wire);
      // Refused before it was sent: the caller's arguments are wrong, and fetch has said why.
      if (!wire.dispatched && !limit.isPassed) throw error;
      return { wire, error, tookTooLong: limit.isPassed };
    } finally {
      limit.clear();
    }
  }

  private headers(remaining: number): ReturnType<typeof withBudget> {
    const { headers, attemptMs } = this.plan;
    return withBudget(headers, Math.max(1, spendableMs(Math.min(remaining, attemptMs))));
  }

  /** Decides whether the call is sent again: gives the wait before that, in ms, and takes a retry from the budget. */
  private planRetry(result: AttemptResult, attempt: number): number | undefined {
    const { plan, shared } = this;
    if (attempt > plan.retries || shared.sockets.closed) return undefined;
    const cause = causeOfRetry(result, plan);
    if (cause === undefined) return undefined;
    const delayMs = waitBeforeRetry(result, attempt, this.scope.remaining());
    if (delayMs === undefined || !shared.budget.spend()) return undefined;
    shared.counts.retries += 1;
    if (channels.retry.hasSubscribers) {
      const { origin } = shared.sockets;
      channels.retry.publish({ origin, method: plan.method, attempt: attempt + 1, delayMs, cause });
    }
    return delayMs;
  }

  private conclude(result: AttemptResult): Response {
    const { wire } = result;
    if (!result.response) throw callErrorOf(result.error, this.plan.method, wire.describe());
    if (isSuccess(result)) this.shared.budget.earn();
    // The response is handed over with its body still to come: until that is over, the call can be cancelled.
    if (wire.idle) this.scope.release();
    else wire.onIdle = () => this.scope.release();
    return result.response;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      // Not unref'd: the caller waits for it.
      const timer = setTimeout(resolve, ms);
      this.scope.onEnd = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private throwIfEnded(wire: WireAttempt): void {
    const { ended } = this.scope;
    if (!ended) return;
    if (!upstreamOf(ended.reason)) rememberUpstream(ended.reason, wire.describe());
    throw ended.reason;
  }
}

/** Ends a try that takes longer than `attempt`. */
class AttemptLimit {
  isPassed = false;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(readonly ms: number) {}

  start(cancel: (reason: unknown) => void): void {
    if (this.ms === Infinity) return;
    this.timer = setTimeout(() => {
      this.isPassed = true;
      cancel(new AttemptTimeoutError(this.ms));
    }, this.ms).unref();
  }

  clear(): void {
    clearTimeout(this.timer);
  }
}

/** Frees the socket of a response that nobody will read: undici keeps it if all has arrived, and else closes it. */
function discard({ response }: AttemptResult): void {
  response?.body?.cancel().catch(() => undefined);
}
