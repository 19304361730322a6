import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { channels } from '../../events';
import type { Lifetime } from '../lifetime/lifetime';

/** What writes to a response: Node's own methods, and those of Express that would look at its state first. */
const WRITES = [
  ...['setHeader', 'setHeaders', 'appendHeader', 'removeHeader', 'writeHead', 'flushHeaders', 'write', 'end'],
  ...['addTrailers', 'writeContinue', 'writeProcessing', 'writeEarlyHints', 'writeInformation', 'destroy'],
  ...['json', 'jsonp', 'send', 'sendStatus', 'sendFile', 'sendfile', 'download', 'redirect', 'render'],
] as const;

/** Those of Express: they call each other by way of `this`. */
const OF_EXPRESS = new Set<string | symbol>(WRITES.slice(WRITES.indexOf('json')));

type Method = (...args: unknown[]) => unknown;

/** A response whose late calls are discarded. */
interface Discarding {
  readonly report: Report;
  /** What each method was before. */
  readonly methods: Map<string | symbol, Method>;
}

/** `below` is where the reported stack begins: what was called, not our own code. */
type Report = (call: string, below: (...args: never[]) => unknown, error?: unknown) => void;

const discarding = new WeakMap<ServerResponse, Discarding>();

/** Whether the response has been answered for good, and late calls are discarded. */
export function isDiscarding(res: ServerResponse): boolean {
  return discarding.has(res);
}

/** Reports an error that came after its request had been answered. */
export function reportLateError(res: ServerResponse, error: unknown): void {
  discarding.get(res)?.report('next', reportLateError, error);
}

/**
 * From now on nothing that is called on the response has an effect: no byte, no header, no `ERR_HTTP_HEADERS_SENT`. The
 * first such call is reported on `express-hangup:late-response`. What Node itself and a middleware call while the answer
 * is being written passes.
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
    // Deaf to assignments as well: a middleware may put back what it had replaced.
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

/** Ends what `discardLateCalls()` began: the answer has failed, and somebody else has to give one. */
export function hearAgain(lifetime: Lifetime): void {
  const { req, res } = lifetime;
  const methods = discarding.get(res)?.methods;
  if (methods === undefined) return;
  discarding.delete(res);
  lifetime.speaker = 'handler';
  for (const [name, method] of methods) {
    // What had been the prototype's is that again; what a middleware had put there is put back.
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
 * The response as whoever gives the answer sees it, while it is deaf to everybody else: for an answer that is being made
 * asynchronously.
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
 * Express's default handler destroys `req.socket` when an error comes after the headers. Late, that is the connection
 * of an innocent next request: to this request, the socket is shown without what closes it.
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
