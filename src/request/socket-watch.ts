import type { Socket } from 'node:net';

/** Somebody who has to know that the connection is gone. */
export interface SocketWatcher {
  connectionClosed(): void;
}

const WATCHERS = Symbol('express-hangup.watchers');

interface WatchedSocket extends Socket {
  [WATCHERS]?: Set<SocketWatcher>;
}

/**
 * Tells `watcher` when the connection closes, until `unwatchSocket()`.
 *
 * One listener serves all requests that a keep-alive socket carries: one listener each would end in a
 * MaxListenersExceededWarning under pipelining. It is prepended, so that it runs before Node's own abort of what is in
 * flight: a body parser's "request aborted" then finds the signal aborted already.
 */
export function watchSocket(socket: Socket, watcher: SocketWatcher): void {
  const watched: WatchedSocket = socket;
  let watchers = watched[WATCHERS];
  if (watchers === undefined) {
    watchers = watched[WATCHERS] = new Set();
    watched.prependOnceListener('close', announceClose);
  }
  watchers.add(watcher);
}

/** Ends what `watchSocket()` began. */
export function unwatchSocket(socket: Socket, watcher: SocketWatcher): void {
  (socket as WatchedSocket)[WATCHERS]?.delete(watcher);
}

function announceClose(this: WatchedSocket): void {
  for (const watcher of this[WATCHERS] ?? []) watcher.connectionClosed();
}
