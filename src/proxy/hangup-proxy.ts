import { DEFAULTS } from '../options';
import { checkedProxyOptions, type HangupProxyOptions } from './options';
import { proxyPlugin } from './proxy-plugin';
import type { ProxyLimits } from './proxy-server';
import { UpstreamAgent } from './upstream-agent';
import { UserVerdicts } from './user-verdicts';

/**
 * Takes http-proxy-middleware's options (versions 3 and 4) and gives them back with the upstream tied to the request: its
 * request is destroyed when `req.signal` aborts, its faults go to the app's error handlers, and a response that it leaves
 * unfinished is broken visibly. `app.use('/api', createProxyMiddleware(hangupProxy({ target })))`.
 *
 * The given options are not changed. `on`, `plugins`, `logger`, `ejectPlugins` and `agent` keep working: see
 * `docs/proxy.md` for the order.
 * @throws {TypeError | RangeError} for an option of ours that is of the wrong type or out of range.
 */
export function hangupProxy<Options extends object>(options: Options): Options {
  // A constraint with members would be the better type, but defeats the inference of http-proxy-middleware's generic
  // helpers, fixRequestBody and responseInterceptor; nested in createProxyMiddleware() the options are checked by it.
  const { proxyTimeout, timeout, upgradeTimeout, ...rest } = checkedProxyOptions(options);
  const limits = limitsOf(proxyTimeout, timeout, upgradeTimeout);
  const verdicts = new UserVerdicts(rest.on);
  const prepared: HangupProxyOptions = {
    ...rest,
    agent: agentFor(rest),
    // That `on.error` is there at all switches http-proxy-middleware's own error response off.
    on: { ...rest.on, error: verdicts.ask },
    // Last, so that the user's plugins have had their say.
    plugins: [...(rest.plugins ?? []), proxyPlugin(limits, verdicts)],
  };
  return prepared as Options;
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

// A redirect may lead to another origin and protocol, for which version 3 has no agent: there, each request has its own
// connection.
function agentFor({ agent, followRedirects }: HangupProxyOptions): unknown {
  if (agent !== undefined) return agent;
  return followRedirects ? false : new UpstreamAgent();
}
