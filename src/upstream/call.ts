import { rememberUpstream, upstreamOf } from '../answer/upstream-info';
import { channels } from '../events';
import type { CallLife } from './call-life';
import { Exchange } from './exchange';
import { AttemptTimeoutError, failureOf } from './failure';
import type { KeptSockets } from './kept-sockets';
import type { Undici } from './load-undici';
import { spendableMs, withBudget } from './outbound-budget';
import type { Outcome } from './outcome';
import type { Plan } from './plan';
import { causeOfRetry, isSuccess, waitBeforeRetry } from './retry';
import type { RetryBudget } from './retry-budget';

/** What the calls of an upstream share. */
export interface Shared {
  readonly undici: Undici;
  readonly sockets: KeptSockets;
  readonly budget: RetryBudget;
  readonly counts: { requests: number; retries: number };
}

/** One call of `fetch()`, with all its tries. */
export class Call {
  constructor(
    private readonly shared: Shared,
    private readonly plan: Plan,
    private readonly life: CallLife,
  ) {}

  /** Tries until there is something to hand over, and leaves nothing behind. */
  async run(): Promise<Response> {
    try {
      for (let attempt = 1; ; attempt++) {
        const outcome = await this.try(attempt);
        const waitMs = this.planRetry(outcome, attempt);
        if (waitMs === undefined) return this.conclude(outcome);
        discard(outcome);
        await this.pause(waitMs);
      }
    } catch (error) {
      this.life.release();
      throw error;
    }
  }

  private async try(attempt: number): Promise<Outcome> {
    const { life, plan, shared } = this;
    const exchange = new Exchange(shared.sockets, attempt);
    const remaining = life.remaining();
    if (spendableMs(remaining) < 1) life.expire();
    this.throwIfOver(exchange);

    const limit = new AttemptLimit(plan.attemptMs);
    // An AbortController and undici's listening to it cost more than all the rest of this.
    const controller = life.canEnd || limit.ms !== Infinity ? new AbortController() : undefined;
    const cancel = (reason: unknown): void => {
      exchange.giveUp();
      controller?.abort(reason);
    };
    life.onOver = cancel;
    limit.start(cancel);
    const init = {
      ...plan.init,
      signal: controller?.signal,
      headers: this.headers(remaining),
      dispatcher: exchange,
    };
    try {
      const response = (await shared.undici.fetch(plan.url, init as never)) as unknown as Response;
      this.throwIfOver(exchange);
      return { exchange, response };
    } catch (error) {
      this.throwIfOver(exchange);
      // Refused before it was sent: the caller's arguments are wrong, and fetch has said why.
      if (!exchange.dispatched && !limit.isPassed) throw error;
      return { exchange, error, tookTooLong: limit.isPassed };
    } finally {
      limit.clear();
    }
  }

  private headers(remaining: number): ReturnType<typeof withBudget> {
    const { headers, attemptMs } = this.plan;
    return withBudget(headers, Math.max(1, spendableMs(Math.min(remaining, attemptMs))));
  }

  /** Decides whether the call is sent again: gives the wait before that, in ms, and takes a retry from the budget. */
  private planRetry(outcome: Outcome, attempt: number): number | undefined {
    const { plan, shared } = this;
    if (attempt > plan.retries || shared.sockets.closed) return undefined;
    const cause = causeOfRetry(outcome, plan);
    if (cause === undefined) return undefined;
    const delayMs = waitBeforeRetry(outcome, attempt, this.life.remaining());
    if (delayMs === undefined || !shared.budget.spend()) return undefined;
    shared.counts.retries += 1;
    if (channels.retry.hasSubscribers) {
      const { origin } = shared.sockets;
      channels.retry.publish({ origin, method: plan.method, attempt: attempt + 1, delayMs, cause });
    }
    return delayMs;
  }

  private conclude(outcome: Outcome): Response {
    const { exchange } = outcome;
    if (!outcome.response) throw failureOf(outcome.error, this.plan.method, exchange.describe());
    if (isSuccess(outcome)) this.shared.budget.earn();
    // The response is handed over with its body still to come: until that is over, the call can be cancelled.
    if (exchange.idle) this.life.release();
    else exchange.onIdle = () => this.life.release();
    return outcome.response;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      // Not unref'd: the caller waits for it.
      const timer = setTimeout(resolve, ms);
      this.life.onOver = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private throwIfOver(exchange: Exchange): void {
    const { over } = this.life;
    if (!over) return;
    if (!upstreamOf(over.reason)) rememberUpstream(over.reason, exchange.describe());
    throw over.reason;
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
function discard({ response }: Outcome): void {
  response?.body?.cancel().catch(() => undefined);
}
