import type { ServerResponse } from 'node:http';
import { privateField } from '../../private-field';
import type { Lifetime } from '../lifetime/lifetime';
import { lifetimeBehind } from '../lifetime/lifetime-of';

/**
 * Makes a late `pipeline(source, res, callback)` harmless. Node 24.20 and 26 throw ERR_STREAM_UNABLE_TO_PIPE from
 * it when the target is destroyed or closed. They throw synchronously and outside of any promise, so a handler that
 * is merely late causes an uncaught exception. Likewise `Writable.toWeb(res)` of a closed response gives a stream
 * that rejects every pipe.
 *
 * So a response that is over looks open to these two functions only. A handler that reads `res.destroyed` before it
 * writes on gets the true value.
 */
export function letPipesRun(lifetime: Lifetime): void {
  const { res } = lifetime;
  isDestroyed.set(lifetime, res.destroyed);
  Object.defineProperties(res, LOOKS);
}

/** Of the lifetimes: what `res.destroyed` would be. */
const isDestroyed = privateField<boolean>();

/** All responses share these accessors: their own would keep each alive until the next full garbage collection. */
const LOOKS: PropertyDescriptorMap = {
  destroyed: {
    configurable: true,
    enumerable: true,
    get: function destroyed(this: ServerResponse) {
      const lifetime = lifetimeBehind(this);
      return lifetime !== undefined && isDestroyed.get(lifetime) === true && !isAskedByPipe(destroyed);
    },
    set(this: ServerResponse, value: boolean) {
      const lifetime = lifetimeBehind(this);
      if (lifetime !== undefined) isDestroyed.set(lifetime, value);
    },
  },
  closed: {
    configurable: true,
    enumerable: false,
    get: function closed(this: { _closed?: boolean }) {
      return this._closed === true && !isAskedByPipe(closed);
    },
  },
  // Node's streams read this property first (Symbol.for('nodejs.stream.writable')).
  [Symbol.for('nodejs.stream.writable')]: {
    configurable: true,
    enumerable: false,
    get: function writable() {
      return isAskedByPipe(writable) ? true : undefined;
    },
  },
};

/**
 * `node:internal/streams/pipeline` reads the property directly; `node:internal/webstreams/adapters` does so through
 * other parts of Node.
 */
const PIPELINE = /^.*\n\s+at .*node:internal\/streams\/pipeline/;
const ADAPTER = /node:internal\/webstreams\/adapters/;

function isAskedByPipe(below: (...args: never[]) => unknown): boolean {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back below
  const { stackTraceLimit, prepareStackTrace } = Error;
  const holder: { stack?: string } = {};
  Error.stackTraceLimit = 5;
  // A custom stack format (source maps) would hide the caller.
  (Error as { prepareStackTrace?: unknown }).prepareStackTrace = undefined;
  Error.captureStackTrace(holder, below);
  const { stack = '' } = holder;
  Error.stackTraceLimit = stackTraceLimit;
  Error.prepareStackTrace = prepareStackTrace;
  return PIPELINE.test(stack) || ADAPTER.test(stack);
}
