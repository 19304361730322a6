import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { openAttempt } from './attempt';
import { ProxyExchange } from './exchange';
import { failByUser, passRejection } from './failure';
import { refuseUnknownCoding } from './unknown-coding';
import type { ProxyRequestOptions } from '../proxy-server';
import { dropHandshake, failUpgradeByUser } from '../upgrade';

/** Where an event's arguments hold the request; the response, or the client's socket, comes next. */
const PLACES: Readonly<Record<string, number>> = {
  start: 0,
  end: 0,
  proxyReq: 1,
  proxyRes: 1,
  econnreset: 1,
};

/**
 * Brings what a listener of an event has thrown to the app's error handlers. `error` is not among the events: what throws
 * there is the user's verdict on another error.
 * @returns Whether it has been brought there; else http-proxy-middleware will do it, when it is thrown on.
 */
export function rescueThrown(event: string, args: readonly unknown[], thrown: unknown): boolean {
  switch (event) {
    // Both versions catch what is thrown here, and hand it on.
    case 'start':
      return false;
    case 'proxyReqWs':
      dropHandshake(args[0] as ClientRequest);
      return false;
    case 'proxyReq': {
      const exchange = exchangeOf(event, args);
      if (exchange) openAttempt(exchange, args[0] as ClientRequest, args[3] as ProxyRequestOptions);
    }
  }
  rescueRejection(event, args, thrown);
  return true;
}

/** As `rescueThrown()`, for what the promise of a listener was rejected with. */
export function rescueRejection(event: string, args: readonly unknown[], thrown: unknown): void {
  if (event === 'open' || event === 'close') {
    failUpgradeByUser(args[event === 'open' ? 0 : 1] as Socket, thrown, event === 'close');
    return;
  }
  if (event === 'proxyReqWs') {
    failUpgradeByUser(args[2] as Socket, thrown);
    return;
  }
  if (event === 'error') {
    const exchange = isResponse(args[2]) ? ProxyExchange.latest(args[1] as IncomingMessage) : undefined;
    if (exchange) passRejection(exchange, thrown);
    return;
  }
  const exchange = exchangeOf(event, args);
  if (exchange && !(event === 'proxyRes' && refuseUnknownCoding(exchange, thrown))) {
    failByUser(exchange, thrown);
  }
}

function exchangeOf(event: string, args: readonly unknown[]): ProxyExchange | undefined {
  const place = PLACES[event];
  const req = place === undefined ? undefined : args[place];
  return req === undefined ? undefined : ProxyExchange.latest(req as IncomingMessage);
}

function isResponse(value: unknown): value is ServerResponse {
  return typeof value === 'object' && value !== null && 'writeHead' in value;
}
