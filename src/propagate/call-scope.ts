import type { HangupError } from '../errors';
import type { RequestContext } from '../request/context';
import type { Lifetime } from '../request/lifetime/lifetime';
import type { CallRules } from './options';

/** A call of some HTTP client that has begun and is not over. */
export interface FollowedCall {
  /** Ends the call with an error. Does nothing where the call is over. Must not throw. */
  end(reason: HangupError): void;
}

/**
 * How long after its abort a request fails what its code goes on to call. Not for ever: a timer or an event listener that
 * the request happened to be the first to start, and that serves all, keeps the request's context for as long as it lives.
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

  /** Takes in a call that has just begun: it ends with the request, and at once where the request has been aborted. */
  add(call: FollowedCall): void {
    const { reason, settled } = this.lifetime;
    if (reason === undefined) {
      if (!settled) (this.calls ??= new Set()).add(call);
    } else if (performance.now() - this.abortedAt < AFTERMATH_MS) call.end(reason);
  }

  /** The call is over. */
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
