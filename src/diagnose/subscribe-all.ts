import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** Subscribes to channels by their names. Gives the function that ends all subscriptions. */
export function subscribeAll(listeners: Readonly<Record<string, (message: never) => void>>): () => void {
  const subscriptions = Object.entries(listeners).map(([name, listener]) => {
    const onMessage = (message: unknown): void => {
      try {
        (listener as (message: unknown) => void)(message);
      } catch {
        // What a subscriber throws becomes an uncaught exception: to watch must never take the process down.
      }
    };
    subscribe(name, onMessage);
    return () => unsubscribe(name, onMessage);
  });
  return () => {
    for (const end of subscriptions) end();
  };
}
