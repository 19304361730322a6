import type { AnyServer, Traffic } from './traffic';

/** Under a flood of new connections no turn is quiet: after this many the listener closes all the same. */
const MAX_TURNS = 100;

/**
 * Stops accepting connections, and calls `onClosed` when the last accepted one has closed. What waits in the kernel's
 * accept queue when a listener closes is reset: so it closes in a turn of the event loop that found the queue empty.
 * Gives the function that closes it without waiting for such a turn.
 *
 * A server that does not listen (yet) has nothing to close; should it begin to, it is closed at once.
 */
export function closeListener(traffic: Traffic, onClosed: () => void): () => void {
  const { server } = traffic;
  if (!server.listening) {
    server.once('listening', () => server.close());
    onClosed();
    return () => undefined;
  }
  let turns = 0;
  let accepted = -1;
  let immediate: NodeJS.Immediate | undefined = setImmediate(turn);
  function turn(): void {
    turns += 1;
    if (traffic.accepted === accepted || turns === MAX_TURNS) closeNow();
    else immediate = setImmediate(turn);
    accepted = traffic.accepted;
  }
  function closeNow(): void {
    if (immediate === undefined) return;
    clearImmediate(immediate);
    immediate = undefined;
    closeWithoutIdle(server, onClosed);
  }
  return closeNow;
}

// Since Node 19 `close()` calls `closeIdleConnections()`, which cuts responses that are still being flushed, and on
// Node 26 connections that have just been accepted. The drain knows better which ones are idle.
function closeWithoutIdle(server: AnyServer, onClosed: () => void): void {
  const own = Object.getOwnPropertyDescriptor(server, 'closeIdleConnections');
  Object.defineProperty(server, 'closeIdleConnections', { value: () => undefined, configurable: true });
  try {
    server.close(onClosed);
  } finally {
    if (own) Object.defineProperty(server, 'closeIdleConnections', own);
    else Reflect.deleteProperty(server, 'closeIdleConnections');
  }
}
