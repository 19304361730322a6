import type { ClientRequest } from 'node:http';
import { markedCallSite, type CapturedStack } from '../../answer/call-site';
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

  /** A request of undici is about to be sent. */
  noteUndici(request: object): void {
    this.note(request, this.sites.capture());
  }

  /** A request of node:http has been created. */
  noteHttp(request: ClientRequest & { readonly agent?: object | false }): void {
    const { agent } = request;
    // What hangupProxy()'s own agent sends was made by no line of the app: the stack holds none.
    const isProxied = typeof agent === 'object' && markedCallSite(agent) !== undefined;
    this.note(request, isProxied ? undefined : this.sites.capture());
  }

  private note(request: object, stack: CapturedStack | undefined): void {
    const ticket = this.tickets.current();
    if (stack === undefined && ticket === undefined) return;
    (request as Record<symbol, CallStart | undefined>)[this.start] = { stack, ticket };
  }

  of(request: object): CallStart | undefined {
    return (request as Record<symbol, CallStart | undefined>)[this.start];
  }
}
