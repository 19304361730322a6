import type { Socket } from 'node:net';
import type { Lifetime } from './lifetime';

const CONNECTION = Symbol('express-hangup.connection');

interface KnownSocket extends Socket {
  [CONNECTION]?: Connection;
}

/**
 * The requests that are under way on one HTTP/1 connection, in a list that is entered and left in constant time: one
 * connection may carry tens of thousands.
 *
 * One listener serves all requests that a keep-alive socket carries: one listener each would end in a
 * MaxListenersExceededWarning under pipelining. It is prepended, so that it runs before Node's own abort of what is in
 * flight: a body parser's "request aborted" then finds the signal aborted already.
 */
export class Connection {
  private newest: Lifetime | undefined = undefined;

  private constructor(readonly socket: Socket) {
    socket.prependOnceListener('close', () => this.announceClose());
  }

  /** The connection of a socket, made for its first request. */
  static of(socket: KnownSocket): Connection {
    return socket[CONNECTION] ?? Connection.begin(socket);
  }

  private static begin(socket: Socket): Connection {
    const connection = new Connection(socket);
    // Not enumerable: sockets are logged and copied.
    Object.defineProperty(socket, CONNECTION, { value: connection });
    return connection;
  }

  /** `lifetime.closed()` is called when the connection closes, until it leaves. */
  enter(lifetime: Lifetime): void {
    const { newest } = this;
    lifetime.connection = this;
    lifetime.older = newest;
    if (newest !== undefined) newest.newer = lifetime;
    this.newest = lifetime;
  }

  /** Takes a request off the list, wherever it stands. */
  leave(lifetime: Lifetime): void {
    const { older, newer } = lifetime;
    if (newer !== undefined) newer.older = older;
    else if (this.newest === lifetime) this.newest = older;
    if (older !== undefined) older.newer = newer;
    lifetime.older = lifetime.newer = undefined;
  }

  private announceClose(): void {
    const lifetimes: Lifetime[] = [];
    for (let link = this.newest; link !== undefined; link = link.older) lifetimes.push(link);
    // Oldest first, as the requests came.
    for (const lifetime of lifetimes.reverse()) lifetime.closed();
  }
}
