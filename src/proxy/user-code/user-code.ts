import { isThenable } from '../../answer/thenable';
import type { HangupProxyEvents } from '../options';
import type { ProxyServer } from '../proxy-server';

/** Called with what a listener has thrown, or with what its promise was rejected with. */
export type Rescue = (event: string, args: readonly unknown[], thrown: unknown) => void;

type Listener = (...args: unknown[]) => unknown;

/** Wraps the listeners of each event, and handles what they throw. */
export interface EmitGuard {
  /** Called for `proxyRes` instead of its listeners, which `emit` runs. */
  readonly showResponse: (args: readonly unknown[], emit: () => unknown) => unknown;
  /** Handles what a listener has thrown. Returns whether it has; if not, the error is thrown again. */
  readonly rescue: (event: string, args: readonly unknown[], thrown: unknown) => boolean;
}

/**
 * Guards the listeners of a proxy's events: the user's own, those of plugins and loggers. Without this, what one of them
 * throws in an event of a socket would end the process.
 */
export function interceptEmit(server: ProxyServer, { showResponse, rescue }: EmitGuard): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on `server` below
  const emit = server.emit;
  const guardedEmit = (event: string, ...args: unknown[]): unknown => {
    try {
      if (event === 'proxyRes') return showResponse(args, () => emit.call(server, event, ...args));
      return emit.call(server, event, ...args);
    } catch (thrown) {
      if (!rescue(event, args, thrown)) throw thrown;
      return true;
    }
  };
  server.emit = guardedEmit;
}

/** Catches the rejections of listeners that plugins add from now on, until the returned function is called. */
export function guardListeners(server: ProxyServer, rescue: Rescue): () => void {
  const guarded = new WeakMap<Listener, Listener>();
  const own = new WeakSet<object>();
  const replaced: [string, Listener][] = [];
  const methods = server as unknown as Record<string, Listener | undefined>;
  const replace = (name: string, listenerFor: (event: string, listener: Listener) => Listener): void => {
    const method = methods[name];
    if (method === undefined) return;
    replaced.push([name, method]);
    const guardedMethod = (event: unknown, listener: unknown, ...rest: unknown[]): unknown => {
      const isListener = typeof listener === 'function';
      const given = isListener ? listenerFor(String(event), listener as Listener) : listener;
      return Reflect.apply(method, server, [event, given, ...rest]);
    };
    methods[name] = guardedMethod;
  };
  for (const name of ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener']) {
    replace(name, (event, listener: Listener & { listener?: object }) => {
      // Node's `once()` hands its listener on to `on()`.
      if (own.has(listener.listener ?? listener)) return listener;
      const known = guarded.get(listener) ?? withRejections(event, listener, rescue);
      guarded.set(listener, known);
      own.add(known);
      return known;
    });
  }
  for (const name of ['off', 'removeListener']) {
    replace(name, (_event, listener) => guarded.get(listener) ?? listener);
  }
  return () => {
    for (const [name, method] of replaced)
      if (name !== 'off' && name !== 'removeListener') methods[name] = method;
  };
}

/** The user's handlers, with their rejections caught. The promise of `error` is left to `UserVerdicts`. */
export function guardHandlers(on: HangupProxyEvents, rescue: Rescue): HangupProxyEvents {
  const entries = Object.entries(on).map(([event, handler]: [string, unknown]) => {
    const isGuarded = typeof handler === 'function' && event !== 'error';
    return [event, isGuarded ? withRejections(event, handler as Listener, rescue) : handler];
  });
  return Object.fromEntries(entries) as HangupProxyEvents;
}

function withRejections(event: string, listener: Listener, rescue: Rescue): Listener {
  return function guardedListener(this: unknown, ...args: unknown[]): unknown {
    const returned = Reflect.apply(listener, this, args);
    if (isThenable(returned)) {
      returned.then(undefined, (thrown: unknown) => rescue(event, args, thrown));
    }
    return returned;
  };
}
