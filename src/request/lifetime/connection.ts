import type { Socket } from 'node:net';
import type { Lifetime } from './lifetime';
import { Stamped } from '../../private-field';

/** The requests that are under way on a connection: the newest of them, whose `older` leads to the others. */
interface Requests {
  newest: Lifetime | undefined;
}

/** Keeps them on the connection. */
class ConnectionStamp extends Stamped {
  readonly #requests: Requests;

  constructor(socket: Socket, requests: Requests) {
    super(socket);
    this.#requests = requests;
  }

  static on(socket: object): Requests | undefined {
    return #requests in socket ? socket.#requests : undefined;
  }
}

/** The newest of the requests that are under way on a connection. */
export function newestOn(socket: Socket): Lifetime | undefined {
  return ConnectionStamp.on(socket)?.newest;
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
  const requests = ConnectionStamp.on(socket) ?? watch(socket);
  const last = requests.newest;
  // Another copy of this package has answered it, past this copy's gate.
  if (last?.res.closed === true) last.runInAsyncScope(() => last.closed());
  const { newest } = requests;
  lifetime.socket = socket;
  lifetime.older = newest;
  if (newest !== undefined) newest.newer = lifetime;
  requests.newest = lifetime;
}

function watch(socket: Socket): Requests {
  const requests: Requests = { newest: undefined };
  new ConnectionStamp(socket, requests);
  socket.prependListener('close', announceClose);
  return requests;
}

/** Removes a request from the list of its connection, at any position. */
export function leaveConnection(lifetime: Lifetime): void {
  const { older, newer, socket } = lifetime;
  if (socket === undefined) return;
  const requests = ConnectionStamp.on(socket);
  if (newer !== undefined) newer.older = older;
  else if (requests?.newest === lifetime) requests.newest = older;
  if (older !== undefined) older.newer = newer;
  lifetime.older = lifetime.newer = undefined;
}

function announceClose(this: Socket): void {
  const lifetimes: Lifetime[] = [];
  for (let link = newestOn(this); link !== undefined; link = link.older) lifetimes.push(link);
  // Oldest first, as the requests came.
  for (const lifetime of lifetimes.reverse()) lifetime.runInAsyncScope(() => lifetime.closed());
}
