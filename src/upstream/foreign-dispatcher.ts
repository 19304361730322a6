import type { Undici } from './load-undici';
import type { UpstreamDispatcher } from './types';

/**
 * The app's global dispatcher, if the app has set it for a purpose: a `MockAgent` that must see all calls, an
 * `EnvHttpProxyAgent`, one with interceptors. undici itself sets a plain `Agent`, which only pools sockets. It is not
 * used: for one upstream our own pool does that better.
 */
export function foreignDispatcher(undici: Undici): UpstreamDispatcher | undefined {
  // Read at each call: tests set it long after the client was made.
  const dispatcher: UpstreamDispatcher = undici.getGlobalDispatcher();
  return isPlainAgent(dispatcher) ? undefined : dispatcher;
}

/** Where undici 8 keeps its global dispatcher. undici 7 gets to see it through a wrapper. */
const OF_UNDICI_8 = Symbol.for('undici.globalDispatcher.2');

/**
 * Compares names: Node and each copy of undici have an Agent class of their own. An Agent with interceptors (`compose()`)
 * has the same name, but another `dispatch` method.
 */
function isPlainAgent(dispatcher: UpstreamDispatcher): boolean {
  const { constructor } = dispatcher as { constructor?: { name: string } };
  if (constructor?.name === 'Dispatcher1Wrapper') {
    const wrapped = (globalThis as Record<symbol, UpstreamDispatcher | undefined>)[OF_UNDICI_8];
    return wrapped === undefined || wrapped === dispatcher || isPlainAgent(wrapped);
  }
  const prototype = Object.getPrototypeOf(dispatcher) as Partial<UpstreamDispatcher>;
  return constructor?.name === 'Agent' && dispatcher.dispatch === prototype.dispatch;
}
