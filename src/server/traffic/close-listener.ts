import type { AnyServer, Traffic } from './traffic';

/** The listener closes when no connection has come for this long, … */
const QUIET_MS = 10;

/** … in a turn of the event loop that took no longer: the queue has been looked at just now, … */
const SHORT_TURN_MS = 0.5;

/** … or after this long in any case. */
const PATIENCE_MS = 250;

/** What happens when a listener closes. */
export interface ListenerEvents {
  /** No further connection is accepted. */
  stopped: () => void;
  /** The last accepted connection has closed. */
  closed: () => void;
}

/**
 * Stops accepting connections, and tells when that is so and when the last accepted one has closed. Gives the function that does it
 * without waiting for a good moment.
 *
 * A listener that closes resets what waits in the kernel's accept queue, and no system call can prevent it: so it closes
 * when nobody is coming, right after the queue has been looked at. The event loop does not rest meanwhile. (Ten restarts
 * behind nginx, which does not repeat a POST, lost up to 25 of 5000 requests without this.)
 *
 * A server that does not listen (yet) has nothing to close; should it begin to, it is closed at once.
 */
export function closeListener(traffic: Traffic, on: ListenerEvents): () => void {
  const { server } = traffic;
  if (!server.listening) {
    server.once('listening', () => server.close());
    on.stopped();
    on.closed();
    return () => undefined;
  }
  const startedAt = performance.now();
  let quietSince = startedAt;
  let turnedAt = -Infinity;
  let { accepted } = traffic;
  let immediate: NodeJS.Immediate | undefined = setImmediate(turn);
  function turn(): void {
    const now = performance.now();
    if (traffic.accepted !== accepted) quietSince = now;
    ({ accepted } = traffic);
    const isQuiet = now - quietSince >= QUIET_MS && now - turnedAt <= SHORT_TURN_MS;
    turnedAt = now;
    if (isQuiet || now - startedAt >= PATIENCE_MS) closeNow();
    // The check phase comes right after the poll phase, which with this pending does not wait.
    else immediate = setImmediate(turn);
  }
  function closeNow(): void {
    if (immediate === undefined) return;
    clearImmediate(immediate);
    immediate = undefined;
    closeWithoutIdle(server, on.closed);
    on.stopped();
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
