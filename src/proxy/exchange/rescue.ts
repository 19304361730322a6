import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { openAttempt } from './attempt';
import { ProxyExchange } from './exchange';
import { failByUser, passRejection } from './failure';
import { refuseUnknownCoding } from './unknown-coding';
import type { ProxyRequestOptions } from '../proxy-server';
import { dropHandshake, failUpgradeByUser } from '../upgrade';

/** The index of the request among an event's arguments. */
const PLACES: Readonly<Record<string, number>> = {
  start: 0,
  end: 0,
  proxyReq: 1,
  proxyRes: 1,
  econnreset: 1,
};

/**
 * Passes what a listener of an event has thrown to the app's error handlers. It is not called for the event `error`: what a
 * listener throws there is the user's decision about another error.
 * @returns Whether it has been passed on. If not, it has to be thrown again, and http-proxy-middleware passes it on.
 */
export function rescueThrown(event: string, args: readonly unknown[], thrown: unknown): boolean {
  switch (event) {
    // Both versions catch what is thrown here and pass it on.
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

/** Does the same for the reason with which the promise of a listener was rejected. */
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
