import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { channels } from '../../events';
import type { Lifetime } from '../lifetime/lifetime';

/** The methods that write to a response: Node's own, and those of Express, which look at the response's state first. */
const WRITES = [
  ...['setHeader', 'setHeaders', 'appendHeader', 'removeHeader', 'writeHead', 'flushHeaders', 'write', 'end'],
  ...['addTrailers', 'writeContinue', 'writeProcessing', 'writeEarlyHints', 'writeInformation', 'destroy'],
  ...['json', 'jsonp', 'send', 'sendStatus', 'sendFile', 'sendfile', 'download', 'redirect', 'render'],
] as const;

/** The methods of Express: they call each other on `this`. */
const OF_EXPRESS = new Set<string | symbol>(WRITES.slice(WRITES.indexOf('json')));

type Method = (...args: unknown[]) => unknown;

/** A response whose late calls are discarded. */
interface Discarding {
  readonly report: Report;
  /** Each method as it was before. */
  readonly methods: Map<string | symbol, Method>;
}

/** Reports a late call. The reported stack begins below the function `below`, so it leaves out our own code. */
type Report = (call: string, below: (...args: never[]) => unknown, error?: unknown) => void;

const discarding = new WeakMap<ServerResponse, Discarding>();

/** Whether the request has been answered and late calls on its response are discarded. */
export function isDiscarding(res: ServerResponse): boolean {
  return discarding.has(res);
}

/** Reports an error that came after its request had been answered. */
export function reportLateError(res: ServerResponse, error: unknown): void {
  discarding.get(res)?.report('next', reportLateError, error);
}

/**
 * From now on a late call on the response has no effect: no byte, no header, no `ERR_HTTP_HEADERS_SENT`. The first late
 * call is reported on `express-hangup:late-response`. Calls that Node itself and a middleware make while the answer is
 * being written are let through.
 */
export function discardLateCalls(lifetime: Lifetime): void {
  const { req, res } = lifetime;
  if (lifetime.speaker !== 'middleware') lifetime.speaker = 'nobody';
  if (discarding.has(res)) return;
  const methods = new Map<string | symbol, Method>();
  const report = lateReporter(lifetime);
  discarding.set(res, { report, methods });
  for (const name of WRITES) {
    const method = (res as unknown as Record<string, unknown>)[name];
    if (typeof method !== 'function') continue;
    methods.set(name, method as Method);
    const discard = discarder(lifetime, name, method as Method, report);
    // Assignments have no effect either: a middleware may put back the method that it had replaced.
    Object.defineProperty(res, name, { configurable: true, get: () => discard, set: () => undefined });
  }
  guardSocket(req, (close) => {
    if (!lifetime.isPassing) report('next', close);
  });
}

function discarder(lifetime: Lifetime, name: string, method: Method, report: Report): Method {
  return function discard(this: unknown, ...args: unknown[]): unknown {
    if (lifetime.isPassing) return method.apply(lifetime.res, args);
    report(name, discard);
    tellCallback(args, lifetime);
    return name === 'write' ? true : lifetime.res;
  };
}

function tellCallback(args: unknown[], { reason }: Lifetime): void {
  const callback = args.at(-1);
  if (typeof callback === 'function') process.nextTick(callback, reason);
}

/** Undoes `discardLateCalls()`: the answer has failed, so another error handler must be able to give one. */
export function hearAgain(lifetime: Lifetime): void {
  const { req, res } = lifetime;
  const methods = discarding.get(res)?.methods;
  if (methods === undefined) return;
  discarding.delete(res);
  lifetime.speaker = 'handler';
  for (const [name, method] of methods) {
    // Deleting the property uncovers the prototype's method. A method that a middleware had set is put back.
    Reflect.deleteProperty(res, name);
    if ((res as unknown as Record<string | symbol, unknown>)[name] !== method) {
      Object.defineProperty(res, name, {
        configurable: true,
        writable: true,
        enumerable: true,
        value: method,
      });
    }
  }
  Reflect.deleteProperty(req, 'socket');
}

/**
 * A view of the response on which calls still have an effect while late calls on the response itself are discarded.
 * It is for an error handler that makes its answer asynchronously.
 */
export function answerersView<Res extends ServerResponse>(res: Res): Res {
  const { methods } = discarding.get(res) ?? {};
  if (methods === undefined) return res;
  return new Proxy(res, {
    get(target, key, view) {
      const method = methods.get(key);
      if (method === undefined) return Reflect.get(target, key, target) as unknown;
      return (...args: unknown[]) => method.apply(OF_EXPRESS.has(key) ? view : target, args);
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}

function lateReporter(lifetime: Lifetime): Report {
  const answeredAt = performance.now();
  let isReported = false;
  return function report(call, below, error) {
    if (isReported) return;
    isReported = true;
    if (!channels.lateResponse.hasSubscribers) return;
    const isProduction = process.env['NODE_ENV'] === 'production';
    const stack = isProduction ? undefined : (stackOf(error) ?? callerStack(below));
    const lateMs = performance.now() - answeredAt;
    channels.lateResponse.publish({ ...lifetime.describe(), call, lateMs, stack, error });
  };
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

function callerStack(below: Parameters<Report>[1]): string | undefined {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, below);
  return holder.stack;
}

const CLOSES = new Set<string | symbol>(['destroy', 'destroySoon', 'resetAndDestroy', 'end']);

/**
 * Express's default handler destroys `req.socket` when an error comes after the headers. By the time of a late
 * error, the connection may carry another request. So `req.socket` becomes a view of the socket whose closing
 * methods do nothing.
 */
function guardSocket(req: IncomingMessage, onClose: (close: () => unknown) => void): void {
  const socket = req.socket as Socket | null | undefined;
  if (socket === null || socket === undefined) return;
  const value = new Proxy(socket, {
    get(target, key) {
      if (CLOSES.has(key)) {
        return function close() {
          onClose(close);
          return target;
        };
      }
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
    set: (target, key, member) => Reflect.set(target, key, member, target),
  });
  Object.defineProperty(req, 'socket', { value, configurable: true, writable: true });
}
