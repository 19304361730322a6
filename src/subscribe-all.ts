import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/**
 * Subscribes to channels by their names. Returns the function that ends all subscriptions.
 *
 * If a listener throws, the process emits a warning, once for each subscription. Otherwise an HTTP client whose internals have
 * changed would end the process by an uncaught exception.
 */
export function subscribeAll(listeners: Readonly<Record<string, (message: never) => void>>): () => void {
  const subscriptions = Object.entries(listeners).map(([name, listener]) => {
    let hasWarned = false;
    const onMessage = (message: unknown): void => {
      try {
        (listener as (message: unknown) => void)(message);
      } catch (error) {
        if (!hasWarned) warn(name, error);
        hasWarned = true;
      }
    };
    subscribe(name, onMessage);
    return () => unsubscribe(name, onMessage);
  });
  return () => {
    for (const end of subscriptions) end();
  };
}

function warn(channel: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`express-hangup could not read what came on ${channel}: ${text}`, {
    code: 'EXPRESS_HANGUP_CHANNEL',
  });
}
