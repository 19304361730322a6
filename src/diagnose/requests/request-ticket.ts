import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServedRequest } from './served-requests';

/**
 * Stands for a request in its async context, so that the calls made there find the request. It refers to the
 * request only while it is served, because a pool's socket or a timer that is created meanwhile may keep the ticket
 * for long.
 */
export class RequestTicket {
  served: ServedRequest | undefined;
  constructor(served: ServedRequest) {
    this.served = served;
  }
}

/**
 * From Node 24 on an async context costs almost nothing. Before, it would make every promise of the process slower,
 * so it is not used there, and for some calls the request stays unknown.
 */
const HAS_CHEAP_CONTEXT = Number(process.versions.node.split('.')[0]) >= 24;

/** Gives tickets to requests, and finds the ticket of the current async context. */
export class RequestTickets {
  private readonly context = HAS_CHEAP_CONTEXT ? new AsyncLocalStorage<RequestTicket>() : undefined;

  /** A request begins in this very context. */
  enter(served: ServedRequest): RequestTicket | undefined {
    if (this.context === undefined) return undefined;
    const ticket = new RequestTicket(served);
    this.context.enterWith(ticket);
    return ticket;
  }

  /** The request in whose context this is run. */
  current(): RequestTicket | undefined {
    return this.context?.getStore();
  }

  stop(): void {
    this.context?.disable();
  }
}
