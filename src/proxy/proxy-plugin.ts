import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { beginAttempt } from './exchange/attempt';
import { ProxyExchange, type ExchangeContext, type ProxySettings } from './exchange/exchange';
import { failExchange } from './exchange/failure';
import type { ProxyRequestOptions, ProxyServer } from './proxy-server';
import { relayResponse, showResponse } from './exchange/relay';
import { rescueThrown } from './exchange/rescue';
import { failUpgrade, watchUpgrade } from './upgrade';
import type { UpstreamTarget } from './wire/upstream-facts';
import { interceptEmit, type EmitGuard } from './user-code/user-code';

/**
 * Makes the plugin that listens to the proxy's events and keeps one `ProxyExchange` for each proxied request. It is a plugin
 * so that it also runs where the user ejects http-proxy-middleware's own.
 */
export function proxyPlugin(settings: ProxySettings): (server: ProxyServer) => void {
  return function hangupProxyPlugin(server) {
    const context: ExchangeContext = { ...settings, server };
    interceptEmit(server, emitGuard(context));
    server.on('start', (req: IncomingMessage, res: ServerResponse, target: UpstreamTarget) => {
      const exchange = ProxyExchange.of(req, context);
      if (exchange?.isReplaying() === true) exchange.restart(target);
      else new ProxyExchange(req, res, target, context);
    });
    server.on(
      'proxyReq',
      (proxyReq: ClientRequest, req: IncomingMessage, _res: unknown, options: ProxyRequestOptions) => {
        const exchange = ProxyExchange.of(req, context);
        if (exchange) beginAttempt(exchange, proxyReq, options);
      },
    );
    server.on('proxyRes', (proxyRes: IncomingMessage, req: IncomingMessage) => {
      const exchange = ProxyExchange.of(req, context);
      if (exchange) relayResponse(exchange, proxyRes);
    });
    server.on(
      'proxyReqWs',
      (proxyReq: ClientRequest, req: IncomingMessage, socket: Socket, { target }: ProxyRequestOptions) => {
        watchUpgrade({ context, proxyReq, req, socket, target });
      },
    );
    server.on('error', (...args: ErrorEvent) => handleProxyError(context, args));
  };
}

type ErrorEvent = [
  error: Error,
  req?: IncomingMessage,
  res?: ServerResponse | Socket,
  target?: UpstreamTarget,
];

function handleProxyError(context: ExchangeContext, [error, req, res, target]: ErrorEvent): void {
  // http-proxy reports a missing target without the request. Thrown, the error gets back to http-proxy-middleware, which
  // knows the request.
  if (!req || !res) throw error;
  if (!('writeHead' in res)) failUpgrade(error, req, res, context.verdicts);
  else {
    failExchange(
      ProxyExchange.of(req, context) ?? new ProxyExchange(req, res, target, context),
      error,
      target,
    );
  }
}

function emitGuard(context: ExchangeContext): EmitGuard {
  return {
    showResponse([proxyRes, req], emit) {
      const exchange = ProxyExchange.of(req as IncomingMessage, context);
      return exchange ? showResponse(exchange, proxyRes as IncomingMessage, emit) : emit();
    },
    rescue(event, args, thrown) {
      if (event !== 'error') return rescueThrown(event, args, thrown);
      const [error, req, res] = args as ErrorEvent;
      if (!req || !res || thrown === error) return false;
      // An error listener of a plugin or a logger has thrown, so ours, the last one, has not been called.
      context.verdicts.remember(res, { thrown });
      handleProxyError(context, args as ErrorEvent);
      return true;
    },
  };
}
