/** Functions that wait for one event. Most requests have one at most, so a set is made for the second only. */
export type Listeners<Listener> = Listener | Set<Listener> | undefined;

/** The listeners with one more. */
export function withListener<Listener extends (...args: never[]) => void>(
  listeners: Listeners<Listener>,
  listener: Listener,
): Listeners<Listener> {
  if (listeners === undefined || listeners === listener) return listener;
  return listeners instanceof Set ? listeners.add(listener) : new Set([listeners, listener]);
}

/** The listeners without this one. */
export function withoutListener<Listener extends (...args: never[]) => void>(
  listeners: Listeners<Listener>,
  listener: Listener,
): Listeners<Listener> {
  if (listeners instanceof Set) listeners.delete(listener);
  return listeners === listener ? undefined : listeners;
}

/** Calls them in the order in which they were added. One that is removed meanwhile is not called. */
export function callListeners<Args extends unknown[]>(
  listeners: Listeners<(...args: Args) => void>,
  ...args: Args
): void {
  if (listeners instanceof Set) for (const listener of listeners) listener(...args);
  else listeners?.(...args);
}
