import type { ClientRequest, IncomingMessage } from 'node:http';
import type { ProxyExchange } from './exchange';
import { breakOff } from './failure';
import { interceptErrors } from './intercept-errors';
import type { ProxyRequestOptions } from './proxy-server';
import { hasBody, isReplayable } from './replayable';
import { sendAgain, staleCheck } from './stale-socket';
import { relayRequestTrailers } from './trailers';
import { originOf, upstreamTimeout } from './upstream-facts';

/** The upstream's request has got its socket, and nothing of it has been sent. */
export function beginAttempt(
  exchange: ProxyExchange,
  proxyReq: ClientRequest,
  options: ProxyRequestOptions,
): void {
  // Version 3 with followRedirects tells of every hop, with the same request.
  if (exchange.proxyReq === proxyReq) return;
  exchange.proxyReq = proxyReq;
  exchange.options = options;
  interceptErrors(proxyReq, exchange.req, (error) => handleError(exchange, error));
  const { lifetime, res } = exchange;
  if (lifetime.reason) exchange.abort(lifetime.reason);
  else if (lifetime.settled || res.writableEnded) exchange.abandon();
  else prepare(exchange, proxyReq);
}

function prepare(exchange: ProxyExchange, proxyReq: ClientRequest): void {
  const { req, options, expectation } = exchange;
  if (expectation !== undefined) {
    req.headers.expect = expectation;
    if (!proxyReq.headersSent) proxyReq.setHeader('expect', expectation);
  }
  const { silenceMs } = exchange.context.limits;
  if (silenceMs !== Infinity) limitSilence(proxyReq, silenceMs);
  const isFirst = exchange.attempt === 1;
  exchange.staleCheck = isFirst && isReplayable(req, options) ? staleCheck(proxyReq) : undefined;
  if (hasBody(req) && options.buffer === undefined) {
    relayRequestTrailers(req, proxyReq);
    proxyReq.once('close', () => drain(req, proxyReq));
  }
}

/** Handles an error of the upstream's request, if it is not for http-proxy-middleware to hear of it. */
function handleError(exchange: ProxyExchange, error: NodeJS.ErrnoException): boolean {
  if (exchange.isAbandoned) return true;
  if (exchange.isStreaming()) {
    breakOff(exchange, error);
    return true;
  }
  const isUnanswered = exchange.proxyRes === undefined && exchange.lifetime.reason === undefined;
  const isStale = isUnanswered && exchange.staleCheck?.(error) === true;
  if (isStale) replay(exchange, error);
  return isStale;
}

function replay(exchange: ProxyExchange, error: NodeJS.ErrnoException): void {
  exchange.attempt += 1;
  exchange.proxyReq = undefined;
  const { req, res, options, target } = exchange;
  sendAgain({ ...exchange.context, req, res, options, origin: originOf(target ?? {}), error });
}

function limitSilence(proxyReq: ClientRequest, ms: number): void {
  proxyReq.setTimeout(ms, () => proxyReq.destroy(upstreamTimeout(ms)));
  // ClientRequest's own timeout begins after the connect.
  if (proxyReq.socket?.connecting === true) proxyReq.socket.setTimeout(ms);
}

// The rest of an upload that the upstream does not want: unread, it would block the client's connection, and with it the
// answer that the client should see.
function drain(req: IncomingMessage, proxyReq: ClientRequest): void {
  if (req.readableEnded || req.destroyed) return;
  req.unpipe(proxyReq);
  req.resume();
}
