import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestTicket } from './request-ticket';

/** A request that is being served. */
export interface ServedRequest {
  readonly id: number;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** All requests that its connection is carrying. */
  readonly onConnection: ServedRequest[];
  readonly arrivedAt: number;
  /** By which the calls that are made for it find it. */
  ticket: RequestTicket | undefined;
  before: ServedRequest | undefined;
  after: ServedRequest | undefined;
}

/**
 * The requests that are being served, in the order of their arrival: a list that is linked in both directions. A Map or
 * Set would give each request and response a hash, which costs more than all the rest.
 */
export class ServedRequests {
  private first: ServedRequest | undefined;
  private last: ServedRequest | undefined;
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(request: ServedRequest): void {
    request.before = this.last;
    if (this.last) this.last.after = request;
    else this.first = request;
    this.last = request;
    request.onConnection.push(request);
    this.count++;
  }

  /** Removes a request that was added and not yet removed. */
  remove(request: ServedRequest): void {
    const { before, after, onConnection } = request;
    if (before) before.after = after;
    else this.first = after;
    if (after) after.before = before;
    else this.last = before;
    // A finished request may live on for a while: it must not keep its neighbours alive.
    request.before = request.after = undefined;
    this.count--;
    // Nearly all connections carry one request at a time: pop() lets the array keep its memory for the next. Pipelined ones
    // are answered in their order, and shift() does not copy a long array.
    if (onConnection.at(-1) === request) onConnection.pop();
    else if (onConnection[0] === request) onConnection.shift();
    else onConnection.splice(onConnection.indexOf(request), 1);
  }

  clear(): void {
    this.first = this.last = undefined;
    this.count = 0;
  }

  /** The oldest, at most `limit` of them. */
  oldest(limit: number): ServedRequest[] {
    const oldest: ServedRequest[] = [];
    for (let request = this.first; request && oldest.length < limit; request = request.after)
      oldest.push(request);
    return oldest;
  }
}
