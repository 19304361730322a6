import type { ServerResponse } from 'node:http';

/**
 * Makes a late `pipeline(source, res, callback)` harmless. Node 24.20 and 26 throw ERR_STREAM_UNABLE_TO_PIPE from it, in
 * the very call and outside of any promise, when the target is destroyed or closed: an uncaught exception in a handler
 * that is merely late. Likewise `Writable.toWeb(res)` of a closed response gives a stream that rejects whatever is piped.
 *
 * So a response that is over looks open to these two, and to nobody else: a handler that asks `res.destroyed` before
 * it goes on writing is told the truth.
 */
export function letPipesRun(res: ServerResponse): void {
  let isDestroyed = res.destroyed;
  Object.defineProperties(res, {
    destroyed: {
      configurable: true,
      enumerable: true,
      get: function destroyed() {
        return isDestroyed && !isAskedByPipe(destroyed);
      },
      set: (value: boolean) => (isDestroyed = value),
    },
    closed: {
      configurable: true,
      enumerable: false,
      get: function closed(this: { _closed?: boolean }) {
        return this._closed === true && !isAskedByPipe(closed);
      },
    },
    // What Node's streams ask before anything else (Symbol.for('nodejs.stream.writable')).
    [Symbol.for('nodejs.stream.writable')]: {
      configurable: true,
      enumerable: false,
      get: function writable() {
        return isAskedByPipe(writable) ? true : undefined;
      },
    },
  });
}

/** `node:internal/streams/pipeline` asks by itself; `node:internal/webstreams/adapters` through other parts of Node. */
const PIPELINE = /^.*\n\s+at .*node:internal\/streams\/pipeline/;
const ADAPTER = /node:internal\/webstreams\/adapters/;

function isAskedByPipe(below: (...args: never[]) => unknown): boolean {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back below
  const { stackTraceLimit, prepareStackTrace } = Error;
  const holder: { stack?: string } = {};
  Error.stackTraceLimit = 5;
  // Another format (source maps) would hide who asks.
  (Error as { prepareStackTrace?: unknown }).prepareStackTrace = undefined;
  Error.captureStackTrace(holder, below);
  const { stack = '' } = holder;
  Error.stackTraceLimit = stackTraceLimit;
  Error.prepareStackTrace = prepareStackTrace;
  return PIPELINE.test(stack) || ADAPTER.test(stack);
}
