import { AsyncLocalStorage } from 'node:async_hooks';
import { deadlineOf, type Deadline } from './lifetime/deadline';
import type { Lifetime } from './lifetime/lifetime';

/** What the code that runs for a request can find without its `req`. */
export interface RequestContext {
  readonly lifetime: Lifetime;
}

// Process-wide, because the code that asks has no request to ask. Entered only by `hangup({ context: true })` and `hangup({ propagate })`.
const current = new AsyncLocalStorage<RequestContext | undefined>();

/** Runs what follows in the context of a request; `undefined` runs it outside of all requests. */
export function runInContext<Result>(context: RequestContext | undefined, run: () => Result): Result {
  return current.run(context, run);
}

/** The context that this code runs in. */
export function currentContext(): RequestContext | undefined {
  return current.getStore();
}

/**
 * The signal of the request that this code runs for; `undefined` outside one, in `detached()` work, and without
 * `hangup({ context: true })` or `hangup({ propagate: … })`.
 */
export function currentSignal(): AbortSignal | undefined {
  return current.getStore()?.lifetime.signal;
}

/** The deadline of the request that this code runs for; `undefined` where `currentSignal()` is. */
export function currentDeadline(): Deadline | undefined {
  const context = current.getStore();
  return context && deadlineOf(context.lifetime);
}
