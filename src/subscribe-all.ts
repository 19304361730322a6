import { channel, type Channel } from 'node:diagnostics_channel';

/**
 * The channels that have been subscribed to, kept for as long as the process lives. Node 20 takes a channel out of its list by
 * name when an object of that name is collected, even if a newer one has taken its place. `fetch` has the newer one if it is
 * first used after a `stop()`: who subscribes later would never hear of a call.
 */
const kept = new Set<Channel>();

/**
 * Subscribes to channels by their names. Returns the function that ends all subscriptions.
 *
 * If a listener throws, the process emits a warning, once for each subscription. Otherwise an HTTP client whose internals have
 * changed would end the process by an uncaught exception.
 */
export function subscribeAll(listeners: Readonly<Record<string, (message: never) => void>>): () => void {
  const subscriptions = Object.entries(listeners).map(([name, listener]) => {
    const source = channel(name);
    kept.add(source);
    let hasWarned = false;
    const onMessage = (message: unknown): void => {
      try {
        (listener as (message: unknown) => void)(message);
      } catch (error) {
        if (!hasWarned) warn(name, error);
        hasWarned = true;
      }
    };
    source.subscribe(onMessage);
    return () => source.unsubscribe(onMessage);
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
