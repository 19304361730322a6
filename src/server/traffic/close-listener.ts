import net from 'node:net';
import type { AnyServer, Traffic } from './traffic';

/** The listener closes when no connection has come for this long, … */
const QUIET_MS = 10;

/** … and when the last turn of the event loop took no longer than this, so that the queue was checked just now. */
const SHORT_TURN_MS = 0.1;

/** If there is no such moment within this time, the queue is made short, and the connections in it are accepted. */
const PATIENCE_MS = 250;

/** After this time the listener closes in any case. */
const LIMIT_MS = 5000;

/** Called while a listener closes. */
export interface ListenerEvents {
  /** No further connection is accepted. */
  stopped: () => void;
  /** The last accepted connection has closed. */
  closed: () => void;
}

/**
 * Stops accepting connections. It calls `on.stopped` when that is done, and `on.closed` when the last accepted
 * connection has closed. Gives the function that closes the listener without waiting for a good moment.
 *
 * When a listener closes, the kernel resets the connections in its accept queue, and no system call can prevent it.
 * So the listener closes when no connection is coming, right after the queue has been checked. The event loop does
 * not sleep meanwhile. If connections come too often for that, the queue is made as short as possible. Linux then
 * drops the SYN of a further client. The client sends it again a second later and is refused, and the front end
 * goes to another instance. `docs/deploys.md` has the figures.
 *
 * A server that does not listen yet has nothing to close. If it begins to listen later, it is closed at once.
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
    // Once the queue is short, one turn without a new connection shows that it is empty.
    const isQuiet = isShortened ? !hasCome : now - quietSince >= QUIET_MS;
    const isFresh = now - turnedAt <= SHORT_TURN_MS;
    turnedAt = now;
    if (now - startedAt >= PATIENCE_MS && !isShortened) {
      shortenQueue(server);
      isShortened = true;
    }
    if ((isQuiet && isFresh) || now - startedAt >= LIMIT_MS) closeNow();
    // The check phase comes right after the poll phase, and the poll phase does not wait while an immediate is pending.
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
 * Makes the accept queue one connection long. Node takes a backlog only in `listen()`, which cannot be called
 * again. But `listen()` of its handle can, and then listen(2) changes the length. It does nothing in a worker of a
 * cluster, because the primary listens.
 */
function shortenQueue(server: AnyServer): void {
  const { _handle: handle } = server as { _handle?: { listen?: (backlog: number) => number } | null };
  if (process.platform === 'linux') handle?.listen?.(0);
}

// Since Node 19 `close()` calls `closeIdleConnections()`. That cuts responses that are still being flushed, and on
// Node 26 also connections that have just been accepted. The drain knows which connections are idle. Since Node 24,
// `close()` of an HTTP/2 server sends GOAWAY to all sessions.
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
