import type { Socket } from 'node:net';
import type { Lifetime } from './lifetime';
import { Stamped } from '../../private-field';

/** Keeps on a socket the newest of the requests that are under way on it; `older` leads to the others. */
class ConnectionStamp extends Stamped {
  #newest: Lifetime | undefined = undefined;

  static isOn(socket: object): socket is ConnectionStamp {
    return #newest in socket;
  }

  static newest(socket: object): Lifetime | undefined {
    return #newest in socket ? socket.#newest : undefined;
  }

  static setNewest(socket: object, lifetime: Lifetime | undefined): void {
    if (#newest in socket) socket.#newest = lifetime;
  }
}

/** The newest of the requests that are under way on a connection. */
export function newestOn(socket: Socket): Lifetime | undefined {
  return ConnectionStamp.newest(socket);
}

/**
 * Calls `lifetime.closed()` when its HTTP/1 connection closes, unless `leaveConnection()` was called before. The
 * requests of a connection form a linked list, which is entered and left in constant time: one connection may carry
 * tens of thousands of requests.
 *
 * One listener serves all requests that a keep-alive socket carries: one listener each would end in a
 * MaxListenersExceededWarning under pipelining. It is prepended, so that it runs before Node's own abort of what is in
 * flight: a body parser's "request aborted" then finds the signal aborted already.
 */
export function enterConnection(socket: Socket, lifetime: Lifetime): void {
  if (!ConnectionStamp.isOn(socket)) {
    new ConnectionStamp(socket);
    socket.prependListener('close', announceClose);
  }
  const last = ConnectionStamp.newest(socket);
  // Another copy of this package has answered it, past this copy's gate.
  if (last?.res.closed === true) last.runInAsyncScope(() => last.closed());
  const newest = ConnectionStamp.newest(socket);
  lifetime.socket = socket;
  lifetime.older = newest;
  if (newest !== undefined) newest.newer = lifetime;
  ConnectionStamp.setNewest(socket, lifetime);
}

/** Removes a request from the list of its connection, at any position. */
export function leaveConnection(lifetime: Lifetime): void {
  const { older, newer, socket } = lifetime;
  if (socket === undefined) return;
  if (newer !== undefined) newer.older = older;
  else if (ConnectionStamp.newest(socket) === lifetime) ConnectionStamp.setNewest(socket, older);
  if (older !== undefined) older.newer = newer;
  lifetime.older = lifetime.newer = undefined;
}

function announceClose(this: Socket): void {
  const lifetimes: Lifetime[] = [];
  for (let link = newestOn(this); link !== undefined; link = link.older) lifetimes.push(link);
  // Oldest first, as the requests came.
  for (const lifetime of lifetimes.reverse()) lifetime.runInAsyncScope(() => lifetime.closed());
}
