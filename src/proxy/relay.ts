import type { IncomingMessage } from 'node:http';
import type { ProxyExchange } from './exchange';
import { breakOff, failExchange } from './failure';
import type { ProxyRequestOptions } from './proxy-server';
import { relayTrailers } from './trailers';
import { upstreamCut } from './upstream-facts';

/** The upstream's response has begun; nothing of it has been passed on. */
export function relayResponse(exchange: ProxyExchange, proxyRes: IncomingMessage): void {
  const { options } = exchange;
  exchange.proxyRes = proxyRes;
  withholdKeepAlive(proxyRes, options);
  if (exchange.hasFailed || exchange.lifetime.reason !== undefined) {
    options.selfHandleResponse = true;
  } else if ((proxyRes.statusCode ?? 0) < 100) {
    refuse(exchange, proxyRes);
  } else {
    if (proxyRes.headers.trailer !== undefined) relayTrailers(proxyRes, exchange.req, exchange.res, options);
    proxyRes.on('aborted', () => upstreamBroke(exchange, proxyRes));
  }
}

// Node's parser accepts any three digits, its responses do not: passed on, such a status is an uncaught exception.
function refuse(exchange: ProxyExchange, proxyRes: IncomingMessage): void {
  const { context, options, req, res, target } = exchange;
  const message = `The upstream's status is ${proxyRes.statusCode}`;
  const error = Object.assign(new Error(message), { code: 'HPE_INVALID_STATUS' });
  options.selfHandleResponse = true;
  context.server.emit('error', error, req, res, target);
  // Not before httpxy has attached its own listeners, which would destroy the answer as well.
  process.nextTick(() => {
    exchange.takeOver();
    exchange.abandon();
  });
}

function upstreamBroke(exchange: ProxyExchange, proxyRes: IncomingMessage): void {
  // Destroyed on this side: by the user's own handler, or because the client has left.
  if (!proxyRes.socket.destroyed) return;
  if (exchange.isStreaming()) {
    breakOff(exchange, upstreamCut());
    return;
  }
  exchange.takeOver();
  failExchange(exchange, upstreamCut());
}

// About the connection to the upstream; the client's own is kept for another time (RFC 9110, section 7.6.1). Set to
// undefined where that is enough: deleting would make the object slow for all who read it.
function withholdKeepAlive({ headers }: IncomingMessage, { selfHandleResponse }: ProxyRequestOptions): void {
  if (headers['keep-alive'] === undefined) return;
  if (selfHandleResponse === true) delete headers['keep-alive'];
  else headers['keep-alive'] = undefined;
}
