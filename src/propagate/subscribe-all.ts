import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** Subscribes to channels by their names. Gives the function that ends all subscriptions. */
export function subscribeAll(listeners: Readonly<Record<string, (message: never) => void>>): () => void {
  const subscriptions = Object.entries(listeners).map(([name, listener]) => {
    const onMessage = (message: unknown): void => {
      try {
        (listener as (message: unknown) => void)(message);
      } catch (error) {
        // What a subscriber throws is an uncaught exception: a client that has changed inside must not end the process.
        process.emitWarning(error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
    };
    subscribe(name, onMessage);
    return () => unsubscribe(name, onMessage);
  });
  return () => {
    for (const end of subscriptions) end();
  };
}
