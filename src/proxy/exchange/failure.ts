import { rememberUpstream } from '../../answer/upstream-info';
import { breakResponse } from '../../request/response/break-response';
import { giveStatus } from './error-status';
import type { ProxyExchange } from './exchange';
import { idleMsOf } from '../wire/upstream-agent';
import { originOf, phaseOf, whereOf, type UpstreamTarget } from '../wire/upstream-facts';

/**
 * Handles a failure exactly once, however often http-proxy and httpxy report it. It is called when they have reported an
 * error and the user's `on.error` has seen it.
 */
export function failExchange(exchange: ProxyExchange, error: unknown, target?: UpstreamTarget): void {
  const { res, lifetime } = exchange;
  const verdict = exchange.context.verdicts.consume(res);
  if (isOfMirror(exchange, target)) return;
  if (exchange.hasFailed) {
    if (verdict && 'thrown' in verdict) exchange.next(verdict.thrown);
    return;
  }
  if (lifetime.settled || exchange.isWhole()) return;
  exchange.hasFailed = true;
  exchange.takeOver();
  remember(exchange, error);
  if (verdict === undefined) passUnlessAnswered(exchange, error);
  else if ('thrown' in verdict) passUnlessAnswered(exchange, verdict.thrown);
  else {
    verdict.pending.then(
      () => passUnlessAnswered(exchange, error),
      (thrown: unknown) => passUnlessAnswered(exchange, thrown),
    );
  }
}

/** Whether an error is one of mirrored traffic (`forward`). It does not concern the client. */
function isOfMirror(exchange: ProxyExchange, target: UpstreamTarget | undefined): boolean {
  const { options, context } = exchange;
  if (target === undefined || target === exchange.target || target === options.target) return false;
  // The options are known once the request to the target has a socket.
  return exchange.proxyReq === undefined ? context.isMirrored : target === options.forward;
}

/** Cuts a response of which the client has got a part, and tells the app's error handlers why. */
export function breakOff(exchange: ProxyExchange, error: Error): void {
  const { req, res } = exchange;
  if (exchange.lifetime.settled || res.destroyed) return;
  exchange.hasFailed = true;
  remember(exchange, error);
  breakResponse(req, res, error);
  exchange.takeOver();
  pass(exchange, error);
  // Tells the logger and the user's `on.error`: version 3 does not always tell them, and version 4 may tell them twice. This
  // comes after the cut, because they would answer a response that is not cut.
  tell(exchange, error);
}

/** Emits `error`, which reaches the logger, the user's `on.error` and `failExchange()`. */
export function tell({ context, req, res, target }: ProxyExchange, error: unknown): void {
  context.server.emit('error', error, req, res, target);
}

/**
 * The user's own code has thrown: the app's error handlers get the error, as from any handler. If the response is complete,
 * or the failure has been handled already, only the logger and `on.error` get it.
 */
export function failByUser(exchange: ProxyExchange, thrown: unknown): void {
  const { req, res, lifetime, proxyRes, options } = exchange;
  const isRelayed = proxyRes?.complete === true && res.headersSent && options.selfHandleResponse !== true;
  if (exchange.hasFailed || lifetime.settled || res.writableEnded || isRelayed) {
    // After the request was aborted, an error is only the effect of that.
    if (lifetime.reason === undefined) tell(exchange, thrown);
    return;
  }
  exchange.hasFailed = true;
  options.selfHandleResponse = true;
  exchange.takeOver();
  if (res.headersSent) breakResponse(req, res, thrown instanceof Error ? thrown : undefined);
  pass(exchange, thrown);
  exchange.abandon();
}

/** An `error` listener of a plugin has rejected, after all others have heard of the error. */
export function passRejection(exchange: ProxyExchange, thrown: unknown): void {
  passUnlessAnswered(exchange, thrown);
}

function passUnlessAnswered(exchange: ProxyExchange, error: unknown): void {
  const { res } = exchange;
  if (!res.headersSent && !res.writableEnded && !exchange.lifetime.settled) pass(exchange, error);
}

const nothing = (): void => undefined;

function pass({ lifetime, next, req }: ProxyExchange, error: unknown): void {
  // The app's error handlers get the error now. They must not get another one at the end of the grace.
  lifetime.next = nothing;
  giveStatus(error, req);
  next(error);
}

function remember({ proxyReq, proxyRes, target, attempt, context }: ProxyExchange, error: unknown): void {
  if (target === undefined) return;
  const phase = phaseOf(proxyReq, proxyRes, error);
  const idleMs = proxyReq?.socket && proxyReq.reusedSocket ? idleMsOf(proxyReq.socket) : undefined;
  rememberUpstream(error, {
    origin: originOf(target),
    attempt,
    ...(phase && { phase }),
    ...(proxyReq?.socket && { reusedSocket: proxyReq.reusedSocket }),
    ...(idleMs !== undefined && { idleMs }),
    ...whereOf(error, context.site),
  });
}
