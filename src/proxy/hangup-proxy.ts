import type { ClientRequest, IncomingMessage } from 'node:http';
import { captureStack, markCallSite, type CapturedStack } from '../answer/call-site';
import { DEFAULTS } from '../options';
import { openAttempt } from './exchange/attempt';
import { ProxyExchange } from './exchange/exchange';
import { checkedProxyOptions, type HangupProxyEvents, type HangupProxyOptions } from './options';
import { proxyPlugin } from './proxy-plugin';
import { refuseOldVersions } from './refuse-old';
import type { ProxyLimits, ProxyRequestOptions, ProxyServer } from './proxy-server';
import { rescueRejection } from './exchange/rescue';
import { UpstreamAgent } from './wire/upstream-agent';
import { guardHandlers, guardListeners } from './user-code/user-code';
import { UserVerdicts } from './user-code/user-verdicts';

/**
 * Takes http-proxy-middleware's options (versions 3 and 4) and returns them with the upstream tied to the request: the
 * upstream's request is destroyed when `req.signal` aborts, the upstream's faults go to the app's error handlers, and a
 * response that the upstream leaves unfinished is cut so that the client can see it.
 * `app.use('/api', createProxyMiddleware(hangupProxy({ target })))`.
 *
 * The given options are not changed. `on`, `plugins`, `logger`, `ejectPlugins` and `agent` keep working: see
 * `docs/proxy.md` for the order.
 * http-proxy-middleware 2 and older would ignore all of this: there `createProxyMiddleware()` throws an error that says so.
 * @throws {TypeError | RangeError} for an option that `hangupProxy()` reads and that is of the wrong type or out of range.
 */
export function hangupProxy<Options extends object>(options: Options): Options {
  // `extends HangupProxyOptions` would be the better constraint. But it defeats the inference of http-proxy-middleware's
  // generic helpers, fixRequestBody and responseInterceptor. Inside createProxyMiddleware(), that checks the options.
  const checked = checkedProxyOptions(options);
  const { proxyTimeout, timeout, upgradeTimeout, fallback, maxHeaderSize, ...rest } = checked;
  const limits = limitsOf(proxyTimeout, timeout, upgradeTimeout);
  const verdicts = new UserVerdicts(rest.on);
  const plugins = rest.plugins ?? [];
  const isMirrored = rest.forward !== undefined;
  const isShown = rest.on?.proxyRes !== undefined || plugins.length > 0;
  const site = captureStack();
  const prepared: HangupProxyOptions = {
    ...rest,
    agent: agentFor(rest, maxHeaderSize, site),
    logProvider: refuseOldVersions(rest.logProvider),
    on: handlersOf(rest.on, verdicts),
    plugins: [
      ...guardedPlugins(plugins),
      // Last, so that the user's plugins run before it.
      proxyPlugin({
        ...{ limits, verdicts, isMirrored, isShown },
        fallback: fallback?.toString(),
        site,
      }),
    ],
  };
  return prepared as Options;
}

type Plugin = (server: ProxyServer, options: unknown) => unknown;

function guardedPlugins(plugins: readonly unknown[]): unknown[] {
  return (plugins as readonly Plugin[]).map((plugin) => {
    function guardedPlugin(server: ProxyServer, options: unknown): void {
      const release = guardListeners(server, rescueRejection);
      try {
        plugin(server, options);
      } finally {
        release();
      }
    }
    // http-proxy-middleware prints the plugin's name when it is debugged.
    return Object.defineProperty(guardedPlugin, 'name', { value: plugin.name });
  });
}

function handlersOf(on: HangupProxyEvents | undefined, verdicts: UserVerdicts): HangupProxyEvents {
  const handlers = guardHandlers(on ?? {}, rescueRejection);
  return {
    ...handlers,
    proxyReq(proxyReq: ClientRequest, req: IncomingMessage, res, options: ProxyRequestOptions) {
      // Before the user's own handler, which may write the body.
      const exchange = ProxyExchange.latest(req);
      if (exchange?.context.verdicts === verdicts) openAttempt(exchange, proxyReq, options);
      return handlers.proxyReq?.(proxyReq, req, res, options);
    },
    // If there is an `on.error`, http-proxy-middleware sends no error response of its own.
    error: verdicts.ask,
  };
}

function limitsOf(proxyTimeout = 0, timeout = 0, upgradeTimeout: number | undefined): ProxyLimits {
  const silenceMs = Math.min(orNone(proxyTimeout), orNone(timeout));
  const handshakeMs =
    upgradeTimeout === undefined ? Math.min(silenceMs, DEFAULTS.deadline) : orNone(upgradeTimeout);
  return { silenceMs, handshakeMs };
}

function orNone(ms: number): number {
  return ms === 0 ? Infinity : ms;
}

// A redirect may lead to another origin and protocol, for which version 3 has no agent. With `followRedirects`, each request
// therefore has its own connection.
function agentFor(
  { agent, followRedirects }: HangupProxyOptions,
  maxHeaderSize: number | undefined,
  site: CapturedStack,
): unknown {
  if (agent !== undefined) return agent;
  if (followRedirects) return false;
  const own = new UpstreamAgent(maxHeaderSize);
  // diagnose() then need not look for the line of each request.
  markCallSite(own, site);
  return own;
}
