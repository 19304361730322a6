import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { beginAttempt } from './attempt';
import { ProxyExchange, type ExchangeContext } from './exchange';
import { failExchange } from './failure';
import { failUpgrade, watchUpgrade } from './upgrade';
import type { ProxyLimits, ProxyRequestOptions, ProxyServer } from './proxy-server';
import { relayResponse } from './relay';
import type { UpstreamTarget } from './upstream-facts';
import type { UserVerdicts } from './user-verdicts';

/**
 * Makes the plugin that ties the proxy's events together, one `ProxyExchange` for each proxied request. A plugin, because it is
 * there also where the user ejects http-proxy-middleware's own.
 */
export function proxyPlugin(limits: ProxyLimits, verdicts: UserVerdicts): (server: ProxyServer) => void {
  return function hangupProxyPlugin(server) {
    const context: ExchangeContext = { limits, verdicts, server };
    server.on('start', (req: IncomingMessage, res: ServerResponse, target: UpstreamTarget) => {
      if (ProxyExchange.of(req, context)?.isReplaying() !== true)
        new ProxyExchange(req, res, target, context);
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
      (proxyReq: ClientRequest, _req: unknown, socket: Socket, options: ProxyRequestOptions) => {
        watchUpgrade(proxyReq, socket, options.target, limits.handshakeMs);
      },
    );
    server.on(
      'error',
      (error: Error, req?: IncomingMessage, res?: ServerResponse | Socket, target?: UpstreamTarget) => {
        // A missing target, which http-proxy reports without saying for which request: thrown, it gets back to
        // http-proxy-middleware, which knows.
        if (!req || !res) throw error;
        if (!('writeHead' in res)) failUpgrade(error, req, res, verdicts);
        else
          failExchange(
            ProxyExchange.of(req, context) ?? new ProxyExchange(req, res, target, context),
            error,
            target,
          );
      },
    );
  };
}
