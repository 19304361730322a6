import type { Socket } from 'node:net';

/** Somebody who has to know that the connection is gone; a link in the list of all who do. */
export interface SocketWatcher {
  connectionClosed(): void;
  nextOnSocket: SocketWatcher | undefined;
}

const WATCHERS = Symbol('express-hangup.watchers');

interface WatchedSocket extends Socket {
  [WATCHERS]?: SocketWatcher | undefined;
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
  if (!(WATCHERS in watched)) watched.prependOnceListener('close', announceClose);
  watcher.nextOnSocket = watched[WATCHERS];
  watched[WATCHERS] = watcher;
}

/** Ends what `watchSocket()` began. */
export function unwatchSocket(socket: Socket, watcher: SocketWatcher): void {
  const watched: WatchedSocket = socket;
  if (watched[WATCHERS] === watcher) {
    watched[WATCHERS] = watcher.nextOnSocket;
    return;
  }
  // Pipelined requests settle in an order of their own.
  for (let link = watched[WATCHERS]; link !== undefined; link = link.nextOnSocket) {
    if (link.nextOnSocket === watcher) link.nextOnSocket = watcher.nextOnSocket;
  }
}

/** The latest of those who watch the connection now; the others follow by `nextOnSocket`. */
export function firstWatcher(socket: Socket): SocketWatcher | undefined {
  return (socket as WatchedSocket)[WATCHERS];
}

function announceClose(this: Socket): void {
  const watchers: SocketWatcher[] = [];
  for (let link = firstWatcher(this); link !== undefined; link = link.nextOnSocket) watchers.push(link);
  // Oldest first, as the requests came.
  for (const watcher of watchers.reverse()) watcher.connectionClosed();
}
