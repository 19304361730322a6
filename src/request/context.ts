import { AsyncLocalStorage } from 'node:async_hooks';
import { deadlineOf, type Deadline } from './deadline';
import type { Lifetime } from './lifetime';

// Process-wide, because the code that asks has no request to ask. Entered only by `hangup({ context: true })`.
const current = new AsyncLocalStorage<Lifetime>();

/** Runs what follows in the context of a request. */
export function runInContext(lifetime: Lifetime, run: () => void): void {
  current.run(lifetime, run);
}

/** The signal of the request that this code runs for; `undefined` outside one, and without `hangup({ context: true })`. */
export function currentSignal(): AbortSignal | undefined {
  return current.getStore()?.signal;
}

/** The deadline of the request that this code runs for; `undefined` outside one, and without `hangup({ context: true })`. */
export function currentDeadline(): Deadline | undefined {
  const lifetime = current.getStore();
  return lifetime && deadlineOf(lifetime);
}
