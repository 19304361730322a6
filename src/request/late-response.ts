import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { channels } from '../events';
import { breakResponse } from './break-response';
import type { Lifetime } from './lifetime';

/** How long the app's error handlers may take before the request is ended without them: no request hangs for ever. */
const BACKSTOP_MS = 5000;

/**
 * Ends a request in the place of a handler that did not listen: the app's error handlers get the reason, and whatever
 * the handler says from then on is discarded.
 */
export function answerForHandler(lifetime: Lifetime): void {
  const { reason } = lifetime;
  if (reason === undefined || lifetime.settled || hasAnswered(lifetime)) return;
  const backstop = setTimeout(endWithoutHandlers, BACKSTOP_MS, lifetime).unref();
  lifetime.onSettle(() => clearTimeout(backstop));
  discardAfterEnd(lifetime);
  if (lifetime.next === undefined) endWithoutHandlers(lifetime);
  else lifetime.next(reason);
}

/**
 * Whether the handler has used the grace to answer by itself. A response that has begun is cut only where it had to be
 * complete (`until: 'finish'`) or where it is silent; a drain lets it run until it forces.
 */
function hasAnswered({ res, reason, until }: Lifetime): boolean {
  if (!res.headersSent || res.writableEnded) return res.writableEnded;
  return reason?.code === 'SERVER_DRAINING' || (reason?.code === 'DEADLINE_EXCEEDED' && until === 'start');
}

function endWithoutHandlers(lifetime: Lifetime): void {
  const { req, res, reason } = lifetime;
  if (res.writableEnded) return;
  if (res.headersSent || reason === undefined) {
    breakResponse(req, res);
    discardLateCalls(lifetime);
    return;
  }
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  res.statusCode = reason.status;
  if (reason.status === 503) res.setHeader('Retry-After', '1');
  if (res.req.httpVersionMajor < 2) res.setHeader('Connection', 'close');
  res.end();
}

// An error handler may answer asynchronously, and a middleware (express-session) may end the response only after `end()`
// has returned. Whoever ends it first has answered; then it is over.
function discardAfterEnd(lifetime: Lifetime): void {
  const { res } = lifetime;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with `res` below
  const end = res.end;
  res.end = function endOnce(this: ServerResponse, ...args: unknown[]) {
    res.end = end;
    const result = Reflect.apply(end, res, args) as ServerResponse;
    discardOnceEnded(lifetime);
    return result;
  } as typeof res.end;
}

/** Discards late calls as soon as the response has been ended or destroyed, which may be now. */
export function discardOnceEnded(lifetime: Lifetime): void {
  const { res } = lifetime;
  if (res.writableEnded || res.destroyed) discardLateCalls(lifetime);
  else res.once('finish', () => discardLateCalls(lifetime));
}

/** What writes to a response: Node's own methods and those of Express that would look at its state first. */
const WRITES = [
  ...['setHeader', 'setHeaders', 'appendHeader', 'removeHeader', 'writeHead', 'flushHeaders', 'write', 'end'],
  ...['addTrailers', 'writeContinue', 'writeProcessing', 'writeEarlyHints', 'writeInformation', 'destroy'],
  ...['json', 'jsonp', 'send', 'sendStatus', 'sendFile', 'sendfile', 'download', 'redirect'],
] as const;

/** `below` is where the reported stack begins: what was called, not our own code. */
type Report = (call: string, below: (...args: never[]) => unknown) => void;

const reporters = new WeakMap<ServerResponse, Report>();

/** Whether the response has been answered for good, and late calls are discarded. */
export function isDiscarding(res: ServerResponse): boolean {
  return reporters.has(res);
}

/** Reports an error that came after its request had been answered. */
export function reportLateError(res: ServerResponse): void {
  reporters.get(res)?.('error', reportLateError);
}

/**
 * From now on nothing that is called on the response has an effect: no byte, no header, no `ERR_HTTP_HEADERS_SENT`. The
 * first such call is reported on `express-hangup:late-response`. The response must have been ended or destroyed.
 */
export function discardLateCalls(lifetime: Lifetime): void {
  const { req, res } = lifetime;
  if (reporters.has(res)) return;
  const report = lateReporter(lifetime);
  reporters.set(res, report);
  for (const name of WRITES) {
    if (typeof (res as unknown as Record<string, unknown>)[name] !== 'function') continue;
    const value = (...args: unknown[]): unknown => {
      report(name, value);
      tellCallback(args, lifetime);
      return name === 'write' ? true : res;
    };
    Object.defineProperty(res, name, { value, configurable: true, writable: true });
  }
  guardSocket(req, (close) => report('error', close));
}

function tellCallback(args: unknown[], { reason }: Lifetime): void {
  const callback = args.at(-1);
  if (typeof callback === 'function') process.nextTick(callback, reason);
}

function lateReporter(lifetime: Lifetime): Report {
  const answeredAt = performance.now();
  let isReported = false;
  return function report(call, below) {
    if (isReported) return;
    isReported = true;
    if (!channels.lateResponse.hasSubscribers) return;
    const stack = process.env['NODE_ENV'] === 'production' ? undefined : callerStack(below);
    const lateMs = performance.now() - answeredAt;
    channels.lateResponse.publish({ ...lifetime.describe(), call, lateMs, stack });
  };
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
  const socket = req.socket as Socket | null;
  if (socket === null) return;
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
