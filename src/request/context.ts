import { AsyncLocalStorage } from 'node:async_hooks';
import { deadlineOf, type Deadline } from './lifetime/deadline';
import type { Lifetime } from './lifetime/lifetime';

/** What code that runs for a request can look up without its `req`. */
export interface RequestContext {
  readonly lifetime: Lifetime;
}

// One store for the process, because the code that reads it has no request at hand. Only `hangup({ context: true
// })` and `hangup({ propagate })` enter it.
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
