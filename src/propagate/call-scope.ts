import type { HangupError } from '../errors';
import type { RequestContext } from '../request/context';
import type { Lifetime } from '../request/lifetime/lifetime';
import type { CallRules } from './options';

/** A call of an HTTP client that has begun and has not ended. */
export interface FollowedCall {
  /** Ends the call with an error. Does nothing if the call has ended already. Must not throw. */
  end(reason: HangupError): void;
}

/**
 * How long after a request's abort new calls in its context fail. It is limited because a timer or an event
 * listener may serve all requests: it keeps the context of the request that started it for as long as it lives.
 */
export const AFTERMATH_MS = 5000;

/** The context of one request whose calls end with it. */
export class CallScope implements RequestContext {
  private calls: Set<FollowedCall> | undefined = undefined;
  private abortedAt = 0;

  constructor(
    readonly lifetime: Lifetime,
    readonly rules: CallRules,
  ) {
    lifetime.onAbort((reason) => this.endAll(reason));
  }

  /** Adds a call that has just begun: it ends with the request, and at once if the request has been aborted. */
  add(call: FollowedCall): void {
    const { reason, settled } = this.lifetime;
    if (reason === undefined) {
      if (!settled) (this.calls ??= new Set()).add(call);
    } else if (performance.now() - this.abortedAt < AFTERMATH_MS) call.end(reason);
  }

  /** Removes a call that has ended. */
  delete(call: FollowedCall): void {
    this.calls?.delete(call);
  }

  private endAll(reason: HangupError): void {
    this.abortedAt = performance.now();
    const { calls } = this;
    this.calls = undefined;
    if (calls) for (const call of calls) call.end(reason);
  }
}
