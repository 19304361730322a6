import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Leak } from './leak';

interface Started {
  request: IncomingMessage;
  response: ServerResponse;
  socket: Socket;
}

type Counts = Map<string | symbol, number>;

/**
 * Watches every HTTP/1 request that this process serves from now on, and the listeners on the requests' connections. It adds no
 * listener to a request, a response or a socket.
 */
export class RequestWatch {
  readonly #running = new Map<ServerResponse, { started: Started; at: number }>();
  readonly #served = new WeakMap<Socket, { requests: number; before: Counts | undefined }>();
  readonly #sockets = new Set<Socket>();
  /** The most requests that were in flight at the same time. */
  atOnce = 1;

  constructor() {
    subscribe('http.server.request.start', this.#start);
  }

  readonly #start = (message: unknown): void => {
    const started = message as Started;
    const { response, socket } = started;
    this.#running.set(response, { started, at: performance.now() });
    if (this.#running.size > this.atOnce) {
      this.#forget();
      this.atOnce = Math.max(this.atOnce, this.#running.size);
    }
    const served = this.#served.get(socket) ?? { requests: 0, before: undefined };
    served.requests += 1;
    // From the second request on: what is attached once per connection, by the first, is no leak.
    if (served.requests === 2) served.before = listenerCounts(socket);
    this.#served.set(socket, served);
    this.#sockets.add(socket);
    // Kept small over a long run, without a listener that would tell of the end.
    if (this.#running.size > 1000) this.#forget();
  };

  #forget(): void {
    for (const [response, { started }] of this.#running)
      if (isOver(response, started.socket)) this.#running.delete(response);
    for (const socket of this.#sockets) if (socket.destroyed) this.#sockets.delete(socket);
  }

  leaks(): Leak[] {
    this.#forget();
    const leaks: Leak[] = [];
    for (const { started, at } of this.#running.values()) {
      const { method, url } = started.request;
      const ms = Math.round(performance.now() - at);
      leaks.push({
        kind: 'request',
        what: `${method} ${url} has been in flight for ${ms} ms`,
        where: undefined,
      });
    }
    const busy = new Set([...this.#running.values()].map(({ started }) => started.socket));
    for (const socket of this.#sockets) {
      const served = this.#served.get(socket);
      if (busy.has(socket) || served?.before === undefined) continue;
      const name = `a connection that has carried ${served.requests} requests`;
      // One more may be attached once per connection by a later route; a second one is a pattern.
      leaks.push(...growth(name, served.before, socket, 2));
    }
    return leaks;
  }

  stop(): void {
    unsubscribe('http.server.request.start', this.#start);
    this.#running.clear();
    this.#sockets.clear();
  }
}

// Asked of the objects and not of events: a queued pipelined response gets no 'close' before Node 24.16.
function isOver(response: ServerResponse, socket: Socket): boolean {
  return response.writableFinished || response.destroyed || response.closed || socket.destroyed;
}

/** How many listeners there are for each event. */
export function listenerCounts(emitter: EventEmitter): Counts {
  return new Map(emitter.eventNames().map((name) => [name, emitter.listenerCount(name)]));
}

/** A leak for each event that has at least so many listeners more than before. */
export function growth(name: string, before: Counts, emitter: EventEmitter, atLeast: number): Leak[] {
  const leaks: Leak[] = [];
  for (const [event, count] of listenerCounts(emitter)) {
    const more = count - (before.get(event) ?? 0);
    if (more < atLeast) continue;
    const what = `${name} has ${more} more listener${more === 1 ? '' : 's'} for "${String(event)}" than before`;
    leaks.push({ kind: 'listener', what, where: undefined });
  }
  return leaks;
}
