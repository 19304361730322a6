import type { ClientRequest, IncomingMessage } from 'node:http';
import { relayEarlyHints } from '../wire/early-hints';
import type { ProxyExchange } from './exchange';
import { breakOff } from './failure';
import { fallBack, holdBody, isWorthFallingBack } from './fallback';
import { guardResponse, interceptErrors } from './intercept-errors';
import type { ProxyRequestOptions } from '../proxy-server';
import { refuseResponse } from './relay';
import { hasBody, isReplayable } from '../wire/replayable';
import { closeAfterChunks, keepToLength, mayHaveBody } from '../wire/request-framing';
import { replay, staleCheck } from './stale-socket';
import { relayRequestTrailers } from '../wire/trailers';
import { invalidResponse, upstreamTimeout } from '../wire/upstream-facts';

const UNSERVED_UPGRADE =
  "The upstream has switched protocols (101), but nobody serves upgrades here: server.on('upgrade', proxy.upgrade) does";

/** The upstream's request has got its socket. Nothing has been sent, and the user's `on.proxyReq` has not run yet. */
export function openAttempt(
  exchange: ProxyExchange,
  proxyReq: ClientRequest,
  options: ProxyRequestOptions,
): void {
  // Version 3 with followRedirects tells of every hop, with the same request.
  if (exchange.proxyReq === proxyReq) return;
  exchange.proxyReq = proxyReq;
  exchange.options = options;
  const { req } = exchange;
  interceptErrors(proxyReq, req, (error) => handleError(exchange, error));
  guardResponse(proxyReq, (thrown) => {
    refuseResponse(exchange, invalidResponse("The upstream's response cannot be passed on", thrown));
  });
  if (!hasBody(req) && !mayHaveBody(req)) return;
  keepToLength(proxyReq);
  closeAfterChunks(proxyReq);
}

/** All listeners of `proxyReq` have had their say. */
export function beginAttempt(
  exchange: ProxyExchange,
  proxyReq: ClientRequest,
  options: ProxyRequestOptions,
): void {
  openAttempt(exchange, proxyReq, options);
  const { lifetime, res } = exchange;
  if (lifetime.reason) exchange.abort(lifetime.reason);
  else if (lifetime.settled || res.writableEnded || exchange.hasFailed) exchange.abandon();
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
  exchange.staleCheck = isReplayable(req, options) ? staleCheck(proxyReq) : undefined;
  proxyReq.on('information', (information) => relayEarlyHints(exchange, information));
  proxyReq.on('upgrade', (_response, socket) => {
    socket.destroy();
    refuseResponse(exchange, invalidResponse(UNSERVED_UPGRADE));
  });
  if (hasBody(req) && options.buffer === undefined) {
    relayRequestTrailers(req, proxyReq);
    proxyReq.once('close', () => drain(exchange, proxyReq));
  }
  holdBody(exchange, proxyReq);
}

/** Handles an error of the upstream's request, if it is not for http-proxy-middleware to hear of it. */
function handleError(exchange: ProxyExchange, error: NodeJS.ErrnoException): boolean {
  if (exchange.isAbandoned) return true;
  if (exchange.isStreaming()) {
    breakOff(exchange, error);
    return true;
  }
  const isOver =
    exchange.proxyRes !== undefined || exchange.lifetime.reason !== undefined || exchange.hasFailed;
  if (isOver) return false;
  if (exchange.staleCheck?.(error) === true) {
    replay(exchange, error);
    return true;
  }
  const isSaved = isWorthFallingBack(exchange, error);
  if (isSaved) fallBack(exchange, error);
  return isSaved;
}

function limitSilence(proxyReq: ClientRequest, ms: number): void {
  proxyReq.setTimeout(ms, () => proxyReq.destroy(upstreamTimeout(ms)));
  // ClientRequest's own timeout begins after the connect.
  if (proxyReq.socket?.connecting === true) proxyReq.socket.setTimeout(ms);
}

// The rest of an upload that the upstream does not want: unread, it would block the client's connection, and with it the
// answer that the client should see.
function drain({ req, proxyReq: latest }: ProxyExchange, proxyReq: ClientRequest): void {
  // Another upstream gets the body.
  if (latest !== proxyReq || isRead(req)) return;
  req.unpipe(proxyReq);
  req.resume();
}

function isRead(req: IncomingMessage): boolean {
  return req.readableEnded || req.destroyed;
}
