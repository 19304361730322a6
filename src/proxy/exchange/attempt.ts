import type { ClientRequest, IncomingMessage } from 'node:http';
import { markCallSite } from '../../answer/call-site';
import { relayEarlyHints } from '../wire/early-hints';
import type { ProxyExchange } from './exchange';
import { breakOff, tell } from './failure';
import { fallBack, holdBody, isWorthFallingBack } from './fallback';
import { interceptRequest, type RequestInterceptor } from './intercept-request';
import type { ProxyRequestOptions } from '../proxy-server';
import { refuseResponse } from './relay';
import { hasBody, isReplayable } from '../wire/replayable';
import { closeAfterBody, keepToLength, mayHaveBody } from '../wire/request-framing';
import { replay, staleCheck } from './stale-socket';
import { relayRequestTrailers } from '../wire/trailers';
import { invalidResponse, upstreamTimeout } from '../wire/upstream-facts';
import { withdrawHead } from './withdraw-head';

const UNSERVED_UPGRADE =
  "The upstream has switched protocols (101), but nobody serves upgrades here: server.on('upgrade', proxy.upgrade) does";

const INTERCEPTOR: RequestInterceptor = {
  onError: handleError,
  onThrown(exchange, thrown) {
    withdrawHead(exchange);
    refuseResponse(exchange, invalidResponse("The upstream's response cannot be passed on", thrown));
  },
  onInformation: relayEarlyHints,
  onClose: afterClose,
};

/** The upstream's request has got its socket. Nothing has been sent, and the user's `on.proxyReq` has not run yet. */
export function openAttempt(
  exchange: ProxyExchange,
  proxyReq: ClientRequest,
  options: ProxyRequestOptions,
): void {
  // Version 3 with followRedirects emits `proxyReq` for every hop, with the same request.
  if (exchange.proxyReq === proxyReq) return;
  exchange.proxyReq = proxyReq;
  markCallSite(proxyReq, exchange.context.site);
  exchange.options = options;
  const { req } = exchange;
  interceptRequest(proxyReq, exchange, INTERCEPTOR);
  if (!hasBody(req) && !mayHaveBody(req)) return;
  keepToLength(proxyReq);
  closeAfterBody(proxyReq);
}

/** All listeners of `proxyReq` have run. */
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
  if (hasBody(req) && options.buffer === undefined) relayRequestTrailers(req, proxyReq);
  holdBody(exchange, proxyReq);
}

/** Handles an error of the upstream's request. Returns whether it is to be kept from http-proxy-middleware. */
function handleError(exchange: ProxyExchange, error: NodeJS.ErrnoException): boolean {
  if (exchange.isAbandoned) return true;
  if (exchange.isStreaming()) {
    breakOff(exchange, error);
    return true;
  }
  if (exchange.isWhole()) {
    // The answer is passed on as it is. Whoever hears of the error might answer in its place: http-proxy-middleware would.
    exchange.lifetime.onSettle(() => tell(exchange, error));
    return true;
  }
  const isOver =
    exchange.proxyRes !== undefined || exchange.lifetime.reason !== undefined || exchange.hasFailed;
  if (isOver) {
    // Before the user's `on.error`, which may answer.
    withdrawHead(exchange);
    return false;
  }
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
  // ClientRequest's own timeout begins only after the connection is made.
  if (proxyReq.socket?.connecting === true) proxyReq.socket.setTimeout(ms);
}

interface Closed extends ClientRequest {
  res?: (IncomingMessage & { upgrade?: boolean }) | null;
}

function afterClose(exchange: ProxyExchange, proxyReq: Closed): void {
  // Another attempt has replaced this one.
  if (exchange.proxyReq !== proxyReq) return;
  const isUpgrade = exchange.proxyRes === undefined && proxyReq.res?.upgrade === true;
  if (isUpgrade && !exchange.hasFailed) refuseResponse(exchange, invalidResponse(UNSERVED_UPGRADE));
  drain(exchange, proxyReq);
}

// Reads and discards the rest of an upload that the upstream does not want. Unread, it would block the client's connection,
// and the client would not see the answer.
function drain({ req, options }: ProxyExchange, proxyReq: ClientRequest): void {
  if (req.readableEnded || req.destroyed || options.buffer !== undefined || !hasBody(req)) return;
  req.unpipe(proxyReq);
  req.resume();
}
