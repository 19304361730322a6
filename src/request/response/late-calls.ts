import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { channels } from '../../events';
import { privateField } from '../../private-field';
import type { Lifetime } from '../lifetime/lifetime';
import { lifetimeBehind } from '../lifetime/lifetime-of';

/** The methods that write to a response: Node's own, and those of Express, which look at the response's state first. */
const WRITES = [
  ...['setHeader', 'setHeaders', 'appendHeader', 'removeHeader', 'writeHead', 'flushHeaders', 'write', 'end'],
  ...['addTrailers', 'writeContinue', 'writeProcessing', 'writeEarlyHints', 'writeInformation', 'destroy'],
  ...['json', 'jsonp', 'send', 'sendStatus', 'sendFile', 'sendfile', 'download', 'redirect', 'render'],
] as const;

/** The methods of Express: they call each other on `this`. */
const OF_EXPRESS = new Set<string | symbol>(WRITES.slice(WRITES.indexOf('json')));

type Method = (...args: unknown[]) => unknown;

/** What discards the late calls of one request. */
interface Discarding {
  readonly report: Report;
  /** Each method as it was before. */
  readonly methods: Map<string | symbol, Method>;
  /** What stands in the place of each method, made when it is first read. */
  readonly discards: Map<string, Method>;
}

/** Reports a late call. The reported stack begins below the function `below`, so it leaves out our own code. */
type Report = (call: string, below: (...args: never[]) => unknown, error?: unknown) => void;

/** Of the lifetimes, because an app may have put a Proxy in the place of the response. */
const discarding = privateField<Discarding | undefined>();

/** Whether the request has been answered and late calls on its response are discarded. */
export function isDiscarding(lifetime: Lifetime): boolean {
  return discarding.get(lifetime) !== undefined;
}

/** Reports an error that came after its request had been answered. */
export function reportLateError(lifetime: Lifetime, error: unknown): void {
  discarding.get(lifetime)?.report('next', reportLateError, error);
}

/**
 * The accessors that hide the methods of a response. Assignments have no effect either: a middleware may put back the
 * method that it had replaced.
 *
 * All responses share them. V8 puts the functions of an accessor into the old generation: those of its own would keep
 * each response alive until the next full garbage collection.
 */
const HIDING = WRITES.map((name): [string, PropertyDescriptor] => [
  name,
  {
    configurable: true,
    get(this: ServerResponse) {
      return discardOf(this, name);
    },
    set: () => undefined,
  },
]);

/**
 * From now on a late call on the response has no effect: no byte, no header, no `ERR_HTTP_HEADERS_SENT`. The first late
 * call is reported on `express-hangup:late-response`. Calls that Node itself and a middleware make while the answer is
 * being written are let through.
 */
export function discardLateCalls(lifetime: Lifetime): void {
  const { req, res } = lifetime;
  if (lifetime.speaker !== 'middleware') lifetime.speaker = 'nobody';
  if (isDiscarding(lifetime)) return;
  const methods = new Map<string | symbol, Method>();
  const report = lateReporter(lifetime);
  discarding.set(lifetime, { report, methods, discards: new Map() });
  for (const [name, hiding] of HIDING) {
    const method = (res as unknown as Record<string, unknown>)[name];
    if (typeof method !== 'function') continue;
    methods.set(name, method as Method);
    Object.defineProperty(res, name, hiding);
  }
  guardSocket(req, (close) => {
    if (!lifetime.isPassing) report('next', close);
  });
}

function discardOf(res: ServerResponse, name: string): Method | undefined {
  const lifetime = lifetimeBehind(res);
  if (lifetime === undefined) return undefined;
  const known = discarding.get(lifetime);
  const method = known?.methods.get(name);
  if (known === undefined || method === undefined) return undefined;
  const discard = known.discards.get(name) ?? discarder(lifetime, name, method, known.report);
  known.discards.set(name, discard);
  return discard;
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
  const methods = discarding.get(lifetime)?.methods;
  if (methods === undefined) return;
  discarding.set(lifetime, undefined);
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
export function answerersView<Res extends ServerResponse>(lifetime: Lifetime, res: Res): Res {
  const { methods } = discarding.get(lifetime) ?? {};
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
