import type { RequestTickets } from '../requests/request-ticket';
import type { CallSites } from './call-sites';
import type { CallStart } from './upstream-call';

/** Notes of each call, in the moment in which the app makes it, where that is and for which request. */
export class CallStarts {
  /** On the requests themselves: a WeakMap would cost half a microsecond and more for each call. */
  private readonly start = Symbol('express-hangup.start');

  constructor(
    private readonly sites: CallSites,
    private readonly tickets: RequestTickets,
  ) {}

  note(request: object): void {
    const stack = this.sites.capture();
    const ticket = this.tickets.current();
    if (stack === undefined && ticket === undefined) return;
    (request as Record<symbol, CallStart | undefined>)[this.start] = { stack, ticket };
  }

  of(request: object): CallStart | undefined {
    return (request as Record<symbol, CallStart | undefined>)[this.start];
  }
}
