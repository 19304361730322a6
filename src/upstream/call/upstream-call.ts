import { rememberUpstream, upstreamOf } from '../../answer/upstream-info';
import { channels } from '../../events';
import { spendableMs } from '../../request/budget';
import type { Balancer } from '../origins/balancer';
import type { Endpoint } from '../origins/endpoint';
import type { RetryBudget } from '../retry/retry-budget';
import { causeOfRetry, isReplay, isSuccess, waitBeforeRetry } from '../retry/retry-policy';
import { AttemptLimit } from './attempt-limit';
import type { AttemptResult } from './attempt-result';
import type { CallPlan } from './call-plan';
import type { CallScope } from './call-scope';
import type { Transport, TransportTools } from '../transport/transport';
import { discardUnread } from './unread-body';
import { WireAttempt } from './wire-attempt';

/** What the calls of an upstream share. */
export interface Shared extends TransportTools {
  readonly balancer: Balancer;
  readonly budget: RetryBudget;
  readonly counts: { requests: number; retries: number; replays: number };
  isClosed: boolean;
}

/** One call of `fetch()` or `request()`, with all its tries. */
export class UpstreamCall<Response, Headers> {
  private limit: AttemptLimit | undefined = undefined;
  private retries = 0;
  private replays = 0;

  constructor(
    private readonly shared: Shared,
    private readonly transport: Transport<Response, Headers>,
    private readonly plan: CallPlan<Headers>,
    private readonly scope: CallScope,
  ) {}

  /** Tries until there is a response or an error to hand over. When it fails, it releases all listeners and the body. */
  async run(): Promise<Response> {
    try {
      let last: Endpoint | undefined;
      for (let attempt = 1; ; attempt++) {
        let endpoint = this.pick(last);
        if (endpoint === undefined) {
          await this.resolved(attempt, last);
          // Choose and occupy in the same turn: each of the calls that have waited has to see what the others have chosen.
          endpoint = this.pick(last) ?? this.shared.balancer.pickOrigin(last);
        }
        const wire = new WireAttempt(endpoint, attempt, this.plan);
        let result: AttemptResult<Response>;
        try {
          result = this.answered(wire, await this.send(wire));
        } catch (error) {
          result = this.failed(wire, error);
        } finally {
          this.limit?.clear();
        }
        const waitMs = this.planRetry(result, attempt);
        if (waitMs === undefined) return this.conclude(result);
        if (!result.failed) this.transport.discard(result.response);
        last = result.wire.endpoint;
        // Also for 0 ms: undici reuses a socket only in the next turn of the event loop. Until then it would open another.
        await this.wait((resume) => setTimeout(resume, waitMs));
      }
    } catch (error) {
      this.scope.release();
      this.plan.source?.giveUp();
      throw error;
    }
  }

  private send(wire: WireAttempt): Promise<Response> {
    const { scope, plan } = this;
    const remaining = scope.remaining();
    if (spendableMs(remaining) < 1) scope.expire();
    this.throwIfEnded(wire);

    const { source, attemptMs } = plan;
    const canEnd = scope.canEnd || attemptMs !== Infinity || source !== undefined;
    if (canEnd) {
      const giveUp = (reason: unknown): void => wire.giveUp(reason);
      scope.onEnd = giveUp;
      if (source) source.onFailure = giveUp;
      if (attemptMs !== Infinity) this.limit = new AttemptLimit(attemptMs, giveUp);
    }
    const budgetMs = Math.max(1, spendableMs(Math.min(remaining, attemptMs)));
    return this.transport.send(this.shared, wire, plan, budgetMs, canEnd);
  }

  private answered(wire: WireAttempt, response: Response): AttemptResult<Response> {
    this.throwIfEnded(wire);
    return { wire, failed: false, response, status: this.transport.statusOf(response) };
  }

  private failed(wire: WireAttempt, error: unknown): AttemptResult<Response> {
    wire.release();
    this.throwIfEnded(wire);
    const tookTooLong = this.limit?.isPassed === true;
    // undici has refused the call before sending it: the caller's arguments are wrong, and the error says why.
    if (!wire.dispatched && !tookTooLong) throw error;
    return { wire, failed: true, error, tookTooLong };
  }

  private pick(last: Endpoint | undefined): Endpoint | undefined {
    const { balancer } = this.shared;
    return this.plan.dispatcher ? balancer.pickOrigin(last) : balancer.pick(last);
  }

  /** Waits until the addresses of the origins' names are known. */
  private async resolved(attempt: number, last: Endpoint | undefined): Promise<void> {
    const { balancer } = this.shared;
    await this.wait((resume) => {
      void balancer.ready().then(resume);
      return undefined;
    });
    this.throwIfEnded({
      describe: () => ({ origin: balancer.pickOrigin(last).origin, attempt, phase: 'dns' }),
    });
  }

  /**
   * Decides whether the call is sent again, and takes the retry from the budget. Returns the wait before it in ms, or
   * undefined where there is no further try.
   */
  private planRetry(result: AttemptResult<Response>, attempt: number): number | undefined {
    const { plan, shared, scope } = this;
    if (shared.isClosed) return undefined;
    const cause = causeOfRetry(result, plan);
    if (cause === undefined) return undefined;
    if (this.replays === 0 && isReplay(result)) {
      this.replays += 1;
      shared.counts.replays += 1;
      this.publish(result, attempt, 0, cause);
      return 0;
    }
    if (this.retries >= plan.retries) return undefined;
    const header = (name: string): string | null =>
      result.failed ? null : this.transport.headerOf(result.response, name);
    const delayMs = waitBeforeRetry(header, this.retries + 1, scope.remaining());
    if (delayMs === undefined || !shared.budget.spend()) return undefined;
    this.retries += 1;
    shared.counts.retries += 1;
    this.publish(result, attempt, delayMs, cause);
    return delayMs;
  }

  private publish(
    { wire }: AttemptResult<Response>,
    attempt: number,
    delayMs: number,
    cause: number | string,
  ): void {
    if (!channels.retry.hasSubscribers) return;
    const { origin } = wire.endpoint;
    channels.retry.publish({ origin, method: this.plan.method, attempt: attempt + 1, delayMs, cause });
  }

  private conclude(result: AttemptResult<Response>): Response {
    const { scope, transport, plan, shared } = this;
    const { wire } = result;
    if (result.failed) throw transport.errorOf(result.error, plan.method, wire.describe());
    const { response } = result;
    if (isSuccess(result)) shared.budget.earn();
    // The response is handed over before its body has arrived. Until the body ends, the call can still be aborted.
    if (wire.idle) {
      scope.release();
      return response;
    }
    const isIdle = (): void => {
      scope.release();
      wire.onIdle = wire.onGiveUp = undefined;
    };
    wire.onIdle = isIdle;
    discardUnread(scope, transport as Transport<Response, never>, response);
    return response;
  }

  /** Waits until `start` has called its callback, or the call has ended. */
  private wait(start: (resume: () => void) => NodeJS.Timeout | undefined): Promise<void> {
    return new Promise((resolve) => {
      // A timer is not unref'd: the caller waits for it.
      const timer = start(resolve);
      const stopWaiting = (): void => {
        if (timer) clearTimeout(timer);
        resolve();
      };
      this.scope.onEnd = stopWaiting;
      if (this.scope.ended) this.scope.onEnd(undefined);
    });
  }

  private throwIfEnded(wire: Pick<WireAttempt, 'describe'>): void {
    const { ended } = this.scope;
    if (!ended) return;
    if (!upstreamOf(ended.reason)) rememberUpstream(ended.reason, wire.describe());
    throw ended.reason;
  }
}
