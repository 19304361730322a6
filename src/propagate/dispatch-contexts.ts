import type { HangupError } from '../errors';
import { currentContext, runInContext, type RequestContext } from '../request/context';
import { CallScope, type FollowedCall } from './call-scope';
import { UndiciCopies } from './undici-copies';

/** Who dispatched a call, and what has become of it. */
interface Dispatched {
  readonly context: RequestContext | undefined;
  /** That of the dispatcher around this one: a retrying agent around a pool. */
  readonly outer: Dispatched | undefined;
  isCreated: boolean;
  queued: QueuedCall | undefined;
}

/** What is read of the options and the handler of a call. */
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
 * Remembers for each call of undici in which context it was dispatched. A pool with a limit of connections keeps what is too
 * much and makes the request when a connection is free, in the context of that event; what is tried again is dispatched by
 * a timer. By then the current context is nobody's, or another request's.
 */
export class DispatchContexts {
  private readonly byHandler = new WeakMap<object, Dispatched>();
  private current: Dispatched | undefined = undefined;
  private readonly copies = new UndiciCopies((options, handler, run) => this.around(options, handler, run));

  /** undici has made a request, in the context of its call. Gives the reason where the call has been ended in the queue. */
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
    // A handler whose request had been made and that now comes with another request's context serves several calls.
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
  // A pool knows its origin by itself: what depends on it is seen when the request is made.
  if (!context.rules.of(String(method), () => String(origin)).ends) return;
  call.queued = new QueuedCall(handler, context);
  context.add(call.queued);
}

/** A call that waits in a pool's queue: no request of undici yet. */
class QueuedCall implements FollowedCall {
  private reason: HangupError | undefined = undefined;

  constructor(
    private readonly handler: Handler,
    private readonly scope: CallScope,
  ) {}

  end(reason: HangupError): void {
    this.reason = reason;
    // As undici itself tells a handler of an error before it has a connection.
    if (this.handler.onResponseError) this.handler.onResponseError(null, reason);
    else this.handler.onError?.(reason);
  }

  /** Its turn has come. */
  leave(): HangupError | undefined {
    this.scope.delete(this);
    return this.reason;
  }
}
