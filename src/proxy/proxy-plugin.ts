import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Exchange, type ExchangeContext } from './exchange';
import { failUpgrade, watchUpgrade } from './upgrade';
import type { ProxyLimits, ProxyRequestOptions, ProxyServer } from './proxy-server';
import type { UpstreamTarget } from './upstream-facts';
import type { UserVerdicts } from './user-verdicts';

/**
 * Makes the plugin that ties the proxy's events together, one `Exchange` for each proxied request. A plugin, because it is
 * there also where the user ejects http-proxy-middleware's own.
 */
export function proxyPlugin(limits: ProxyLimits, verdicts: UserVerdicts): (server: ProxyServer) => void {
  return function hangupProxyPlugin(server) {
    const context: ExchangeContext = { limits, verdicts, server };
    const exchanges = new WeakMap<object, Exchange>();
    server.on('start', (req: IncomingMessage, res: ServerResponse, target: UpstreamTarget) => {
      if (exchanges.get(res)?.isReplaying() !== true) {
        exchanges.set(res, new Exchange(req, res, target, context));
      }
    });
    server.on(
      'proxyReq',
      (proxyReq: ClientRequest, _req: unknown, res: ServerResponse, options: ProxyRequestOptions) => {
        exchanges.get(res)?.attach(proxyReq, options);
      },
    );
    server.on('proxyRes', (proxyRes: IncomingMessage, _req: unknown, res: ServerResponse) => {
      exchanges.get(res)?.watch(proxyRes);
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
        else (exchanges.get(res) ?? new Exchange(req, res, target, context)).fail(error, target);
      },
    );
  };
}
