import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServedRequest } from './live-requests';

/**
 * What stands for a request wherever its work goes: the calls that are made in its async context find it. It holds the
 * request only while that is served, because what is made meanwhile (a socket of a pool, a timer) may keep it for long.
 */
export class RequestTicket {
  served: ServedRequest | undefined;
  constructor(served: ServedRequest) {
    this.served = served;
  }
}

/**
 * From Node 24 on an async context costs next to nothing. Before, it would make every promise of the process dearer:
 * there calls are told apart without it, and some stay unknown.
 */
const HAS_CHEAP_CONTEXT = Number(process.versions.node.split('.')[0]) >= 24;

/** Hands out tickets, and finds the one of the work that is going on. */
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
