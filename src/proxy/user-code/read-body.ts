import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { isThenable } from '../../answer/thenable';

/** Called with what a listener has thrown, or with what its promise was rejected with. */
type Failed = (thrown: unknown) => void;

/** Handles the failures of a body that the user's own `on.proxyRes` reads. */
export interface BodyWatch {
  /** A listener, `responseInterceptor()`'s or the user's, has failed, or a stream without an `error` listener has. */
  readonly failed: Failed;
  /** The body is not what its Content-Encoding says. Returns whether the client gets another answer. */
  readonly broken: (error: Error) => boolean;
}

type Listener = (...args: unknown[]) => unknown;
type Guard = (event: string, listener: Listener) => Listener;

/**
 * Runs the handlers of `proxyRes` and guards the listeners that they add to the response meanwhile. `responseInterceptor()`
 * adds async listeners, whose rejection would end the process, as would what any listener throws. It also makes a 200 of a body
 * that does not decompress.
 */
export function watchBody<Result>(proxyRes: IncomingMessage, watch: BodyWatch, run: () => Result): Result {
  const releases: (() => void)[] = [];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on `proxyRes` below
  const { pipe } = proxyRes;
  Object.defineProperty(proxyRes, 'pipe', {
    configurable: true,
    value: (destination: EventEmitter, ...rest: unknown[]) => {
      releases.push(guardDestination(destination, watch));
      return Reflect.apply(pipe, proxyRes, [destination, ...rest]) as unknown;
    },
  });
  try {
    return watchListeners(proxyRes, watch.failed, run);
  } finally {
    for (const release of releases) release();
    Reflect.deleteProperty(proxyRes, 'pipe');
  }
}

/**
 * Runs the handlers of `proxyRes`, and guards the listeners that they add to the response meanwhile. The response is passed on
 * as it is, so a stream into which the user pipes a copy is the user's own.
 */
export function watchListeners<Result>(proxyRes: IncomingMessage, failed: Failed, run: () => Result): Result {
  const release = guardListeners(proxyRes, (_event, listener) => guarded(listener, failed));
  try {
    return run();
  } finally {
    release();
  }
}

function guardDestination(destination: EventEmitter, watch: BodyWatch): () => void {
  let isSeenTo = false;
  destination.on('error', (error: Error) => {
    if (isDecompression(error)) isSeenTo = watch.broken(error);
    else if (destination.listenerCount('error') === 1) watch.failed(error);
  });
  return guardListeners(destination, (event, listener) => {
    const safe = guarded(listener, watch.failed);
    if (event !== 'error') return safe;
    return function guardedErrorListener(this: unknown, ...args: unknown[]): unknown {
      return isSeenTo ? undefined : Reflect.apply(safe, this, args);
    };
  });
}

/** zlib, Brotli and Zstandard: https://nodejs.org/api/zlib.html#constants */
function isDecompression(error: NodeJS.ErrnoException): boolean {
  return /^(?:Z_|ERR__ERROR_FORMAT_|ERR_BROTLI_|ZSTD_error_)/.test(error.code ?? '');
}

/** Replaces the listeners that are added to an emitter from now on. Returns the function that ends this. */
function guardListeners(emitter: EventEmitter, guard: Guard): () => void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on `emitter` below
  const { on } = emitter;
  const add = (event: string, listener: Listener, original: Listener): unknown =>
    // When a listener is removed, Node finds its replacement by the property `listener`.
    Reflect.apply(on, emitter, [event, Object.assign(listener, { listener: original })]);
  const addGuarded = (event: string, listener: Listener): unknown =>
    add(event, guard(event, listener), listener);
  const addGuardedOnce = (event: string, listener: Listener): unknown => {
    const safe = guard(event, listener);
    const once: Listener = function once(this: unknown, ...args) {
      emitter.off(event, once);
      return Reflect.apply(safe, this, args);
    };
    return add(event, once, listener);
  };
  const replaced = { on: addGuarded, addListener: addGuarded, once: addGuardedOnce };
  for (const [name, value] of Object.entries(replaced)) {
    Object.defineProperty(emitter, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const name of Object.keys(replaced)) Reflect.deleteProperty(emitter, name);
  };
}

function guarded(listener: Listener, failed: Failed): Listener {
  return function guardedListener(this: unknown, ...args: unknown[]): unknown {
    try {
      const returned = Reflect.apply(listener, this, args);
      if (isThenable(returned)) returned.then(undefined, failed);
      return returned;
    } catch (thrown) {
      // The event's other listeners run first: a pipe would write to a response that has been answered already.
      process.nextTick(failed, thrown);
      return undefined;
    }
  };
}
