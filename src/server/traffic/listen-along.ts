import type { EventEmitter } from 'node:events';

// A callback for events of any shape; each caller knows the arguments of its own event.
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- EventEmitter's own signature
type Listener = (...args: any[]) => void;

/**
 * Listens to an event before all other listeners, but only while there are other listeners. A server behaves
 * differently when an event has a listener: for `upgrade` or `connect` it hands over the raw socket, for
 * `checkContinue` it no longer sends 100 itself, and an HTTP/2 server with one for `request` builds compatibility
 * objects. Gives the function that stops listening.
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
