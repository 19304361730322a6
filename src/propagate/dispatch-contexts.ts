import type { HangupError } from '../errors';
import { privateField } from '../private-field';
import { currentContext, runInContext, type RequestContext } from '../request/context';
import { CallScope, type FollowedCall } from './call-scope';
import { UndiciCopies } from './undici-copies';

/** The context in which a call was dispatched, and the call's state. */
interface Dispatched {
  readonly context: RequestContext | undefined;
  /** The entry of the dispatcher around this one, for example of a retrying agent around a pool. */
  readonly outer: Dispatched | undefined;
  isCreated: boolean;
  queued: QueuedCall | undefined;
}

/** The members that are read of a call's options and handler. */
interface Options {
  readonly method?: unknown;
  readonly origin?: unknown;
}
interface Handler {
  onError?: (error: Error) => void;
  /** Instead of `onError` since version 7 of undici. Its first argument is `null` where no connection has been given. */
  onResponseError?: (controller: null, error: Error) => void;
}

/**
 * Remembers for each call of undici in which context it was dispatched. A pool with a limit of connections queues
 * further calls, and makes the request when a connection is free, in the context of that event. A retry is
 * dispatched by a timer. By then the current context is empty, or another request's.
 */
export class DispatchContexts {
  private readonly byHandler = privateField<Dispatched>();
  private current: Dispatched | undefined = undefined;
  private readonly copies = new UndiciCopies((options, handler, run) => this.around(options, handler, run));

  /** undici has made a request. Gives the reason if the call was ended while it waited in the queue. */
  created(request: object): HangupError | undefined {
    this.copies.saw(request);
    let reason: HangupError | undefined;
    for (let call = this.current; call !== undefined; call = call.outer) {
      call.isCreated = true;
      reason ??= call.queued?.leave();
      call.queued = undefined;
    }
    return reason;
  }

  restore(): void {
    this.copies.restore();
  }

  private around(options: unknown, handler: object, run: () => unknown): unknown {
    const outer = this.current;
    const call = this.dispatchedOf(handler, outer);
    this.current = call;
    let result: unknown;
    try {
      result = call.context === currentContext() ? run() : runInContext(call.context, run);
    } finally {
      this.current = outer;
    }
    if (outer === undefined && !call.isCreated && call.queued === undefined) queue(call, options, handler);
    return result;
  }

  private dispatchedOf(handler: object, outer: Dispatched | undefined): Dispatched {
    const context = currentContext();
    const known = this.byHandler.get(handler);
    // If the handler's request was made before and the context is another request's, the handler serves several calls.
    if (known && !(known.isCreated && context !== undefined)) return known;
    const call: Dispatched = { context, outer, isCreated: false, queued: undefined };
    this.byHandler.set(handler, call);
    return call;
  }
}

function queue(call: Dispatched, options: unknown, handler: Handler): void {
  const { context } = call;
  if (!(context instanceof CallScope)) return;
  const { method, origin } = (options ?? {}) as Options;
  // A pool's options may have no origin. Rules for an origin are then applied when the request is made.
  if (!context.rules.of(String(method), () => String(origin)).ends) return;
  call.queued = new QueuedCall(handler, context);
  context.add(call.queued);
}

/** A call that waits in a pool's queue. undici has not made a request for it yet. */
class QueuedCall implements FollowedCall {
  private reason: HangupError | undefined = undefined;

  constructor(
    private readonly handler: Handler,
    private readonly scope: CallScope,
  ) {}

  end(reason: HangupError): void {
    this.reason = reason;
    // undici itself reports an error in this way to a handler without a connection.
    if (this.handler.onResponseError) this.handler.onResponseError(null, reason);
    else this.handler.onError?.(reason);
  }

  /** The call leaves the queue, because a request is made for it. */
  leave(): HangupError | undefined {
    this.scope.delete(this);
    return this.reason;
  }
}
