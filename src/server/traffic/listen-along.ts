import type { EventEmitter } from 'node:events';

// A callback for events of any shape; each caller knows the arguments of its own event.
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- EventEmitter's own signature
type Listener = (...args: any[]) => void;

/**
 * Listens to an event ahead of everybody else, but only while somebody else listens too. A server takes the mere
 * presence of a listener for consent: with one for `upgrade` or `connect` it hands over the raw socket, with one for
 * `checkContinue` it no longer says 100 itself, and an HTTP/2 server with one for `request` builds compatibility objects.
 * Gives the function that ends it.
 */
export function listenAlong(emitter: EventEmitter, event: string, listener: Listener): () => void {
  let isListening = false;
  const join = (): void => {
    if (isListening) return;
    isListening = true;
    emitter.prependListener(event, listener);
  };
  const leave = (): void => {
    if (!isListening) return;
    isListening = false;
    emitter.removeListener(event, listener);
  };
  const onNewListener = (name: string | symbol): void => {
    if (name === event) join();
  };
  const onRemoveListener = (name: string | symbol): void => {
    if (name === event && emitter.listenerCount(event) === 1) leave();
  };
  if (emitter.listenerCount(event) > 0) join();
  emitter.on('newListener', onNewListener);
  emitter.on('removeListener', onRemoveListener);
  return () => {
    emitter.off('newListener', onNewListener);
    emitter.off('removeListener', onRemoveListener);
    leave();
  };
}
