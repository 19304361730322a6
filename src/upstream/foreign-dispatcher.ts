import type { Undici } from './load-undici';
import type { UpstreamDispatcher } from './types';

/**
 * The app's global dispatcher, if it is there for a purpose: a `MockAgent` that must see all calls, an
 * `EnvHttpProxyAgent`, one with interceptors. A plain `Agent`, which is what undici sets itself, only keeps sockets, and
 * ours do that better for one upstream.
 */
export function foreignDispatcher(undici: Undici): UpstreamDispatcher | undefined {
  // Asked at each call: tests set it long after the client was made.
  const dispatcher: UpstreamDispatcher = undici.getGlobalDispatcher();
  return isPlainAgent(dispatcher) ? undefined : dispatcher;
}

/** Where undici 8 keeps its own; it shows it to undici 7 through a wrapper. */
const OF_UNDICI_8 = Symbol.for('undici.globalDispatcher.2');

/** By name, for Node and each copy of undici have an Agent of their own. `compose()` leaves the name, not the method. */
function isPlainAgent(dispatcher: UpstreamDispatcher): boolean {
  const { constructor } = dispatcher as { constructor?: { name: string } };
  if (constructor?.name === 'Dispatcher1Wrapper') {
    const wrapped = (globalThis as Record<symbol, UpstreamDispatcher | undefined>)[OF_UNDICI_8];
    return wrapped === undefined || wrapped === dispatcher || isPlainAgent(wrapped);
  }
  const prototype = Object.getPrototypeOf(dispatcher) as Partial<UpstreamDispatcher>;
  return constructor?.name === 'Agent' && dispatcher.dispatch === prototype.dispatch;
}
