import type { ProxyExchange } from './exchange';

/**
 * Takes back the head of the upstream's response from a response of which nothing has been sent, because its answer will be
 * another one: a cookie or a `Content-Length` of the upstream's does not belong on a 502. What the app had set before stays.
 */
export function withdrawHead(exchange: ProxyExchange): void {
  const { proxyRes, res, ownHeaders, lifetime } = exchange;
  if (proxyRes === undefined || ownHeaders === undefined) return;
  exchange.ownHeaders = undefined;
  if (res.headersSent || res.writableEnded || lifetime.settled) return;
  for (const name of Object.keys(proxyRes.headers)) {
    const own = ownHeaders[name];
    if (own !== undefined) res.setHeader(name, own);
    // After removeHeader('transfer-encoding') Node sends no chunks.
    else if (res.hasHeader(name)) res.removeHeader(name);
  }
  res.statusCode = 200;
  if (exchange.req.httpVersionMajor < 2) res.statusMessage = '';
}
