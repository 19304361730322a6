import { rememberUpstream } from '../answer/upstream-info';
import { breakResponse } from '../request/break-response';
import type { ProxyExchange } from './exchange';
import { idleMsOf } from './upstream-agent';
import { originOf, phaseOf, type UpstreamTarget } from './upstream-facts';

/**
 * Brings a failure to its end exactly once, whatever http-proxy and httpxy say of it and however often. They have reported
 * an error; the user's `on.error` has seen it.
 */
export function failExchange(exchange: ProxyExchange, error: unknown, target?: UpstreamTarget): void {
  const { res, options } = exchange;
  const verdict = exchange.context.verdicts.consume(res);
  // What becomes of mirrored traffic (`forward`) is not the client's business.
  if (target !== undefined && target === options.forward && target !== options.target) return;
  if (exchange.hasFailed) {
    if (verdict && 'thrown' in verdict) exchange.next(verdict.thrown);
    return;
  }
  // A response that is here as a whole is passed on as a whole, whatever then happens to the connection.
  if (exchange.lifetime.settled || exchange.proxyRes?.complete === true) return;
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

/** Breaks a response of which the client has got a part, and tells the app's error handlers why. */
export function breakOff(exchange: ProxyExchange, error: Error): void {
  const { req, res } = exchange;
  if (exchange.lifetime.settled || res.destroyed) return;
  exchange.hasFailed = true;
  remember(exchange, error);
  breakResponse(req, res, error);
  exchange.takeOver();
  pass(exchange, error);
  // For the logger and the user's `on.error`, which version 3 does not always tell, and version 4 may tell twice. Not
  // before it is broken: they may think that there is still something to be answered.
  exchange.context.server.emit('error', error, req, res, exchange.target);
}

function passUnlessAnswered(exchange: ProxyExchange, error: unknown): void {
  const { res } = exchange;
  if (!res.headersSent && !res.writableEnded && !exchange.lifetime.settled) pass(exchange, error);
}

function pass({ lifetime, next }: ProxyExchange, error: unknown): void {
  // The app's error handlers have it: at the end of the grace they must not get it again.
  lifetime.next = () => undefined;
  next(error);
}

function remember({ proxyReq, proxyRes, target, attempt }: ProxyExchange, error: unknown): void {
  if (target === undefined) return;
  const phase = phaseOf(proxyReq, proxyRes, error);
  const idleMs = proxyReq?.socket && proxyReq.reusedSocket ? idleMsOf(proxyReq.socket) : undefined;
  rememberUpstream(error, {
    origin: originOf(target),
    attempt,
    ...(phase && { phase }),
    ...(proxyReq?.socket && { reusedSocket: proxyReq.reusedSocket }),
    ...(idleMs !== undefined && { idleMs }),
  });
}
