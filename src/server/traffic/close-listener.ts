import net from 'node:net';
import type { AnyServer, Traffic } from './traffic';

/** The listener closes when no connection has come for this long, … */
const QUIET_MS = 10;

/** … in a turn of the event loop that took no longer: the queue has been looked at just now. */
const SHORT_TURN_MS = 0.1;

/** If no such moment has come after this long, no more connections are queued, and those that are queued are taken; … */
const PATIENCE_MS = 250;

/** … after this long the listener closes in any case. */
const LIMIT_MS = 5000;

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
 * when nobody is coming, right after the queue has been looked at. The event loop does not rest meanwhile. Where they come
 * too often for that the queue is made as short as it can be: Linux then drops the SYN of a further client, which sends it
 * again a second later and is refused, and the front end takes it to another instance. `docs/deploys.md` has the figures.
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
  let isShortened = false;
  let immediate: NodeJS.Immediate | undefined = setImmediate(turn);
  function turn(): void {
    const now = performance.now();
    const hasCome = traffic.accepted !== accepted;
    if (hasCome) quietSince = now;
    ({ accepted } = traffic);
    // Once the queue is short, one turn in which nobody came says that it is empty.
    const isQuiet = isShortened ? !hasCome : now - quietSince >= QUIET_MS;
    const isFresh = now - turnedAt <= SHORT_TURN_MS;
    turnedAt = now;
    if (now - startedAt >= PATIENCE_MS && !isShortened) {
      shortenQueue(server);
      isShortened = true;
    }
    if ((isQuiet && isFresh) || now - startedAt >= LIMIT_MS) closeNow();
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

/**
 * Makes the accept queue one connection long. Node takes a backlog only in `listen()`, which cannot be called again; its
 * handle can, and listen(2) then changes the length. In a worker of a cluster, whose primary listens, it does nothing.
 */
function shortenQueue(server: AnyServer): void {
  const { _handle: handle } = server as { _handle?: { listen?: (backlog: number) => number } | null };
  if (process.platform === 'linux') handle?.listen?.(0);
}

// Since Node 19 `close()` calls `closeIdleConnections()`, which cuts responses that are still being flushed, and on
// Node 26 connections that have just been accepted. The drain knows better which ones are idle. An HTTP/2 server's tells
// all sessions to go away, since Node 24.
function closeWithoutIdle(server: AnyServer, onClosed: () => void): void {
  if ('updateSettings' in server) {
    net.Server.prototype.close.call(server, onClosed);
    return;
  }
  const own = Object.getOwnPropertyDescriptor(server, 'closeIdleConnections');
  Object.defineProperty(server, 'closeIdleConnections', { value: () => undefined, configurable: true });
  try {
    server.close(onClosed);
  } finally {
    if (own) Object.defineProperty(server, 'closeIdleConnections', own);
    else Reflect.deleteProperty(server, 'closeIdleConnections');
  }
}
