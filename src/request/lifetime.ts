import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { DeadlineExceededError, type HangupCode, type HangupError } from '../errors';
import { channels } from '../events';
import { DEFAULTS } from '../options';
import type { DeadlineQueue, Queued } from './deadline-queue';
import { isDebugging } from './debugger';
import { answerForHandler, discardLateCalls } from './late-response';
import { peek } from './peek';
import { routeOf } from './route';
import { firstWatcher, unwatchSocket, watchSocket, type SocketWatcher } from './socket-watch';
import { connectionOf, isAlreadyGone, isHttp2, whoClosed } from './who-closed';

/** How the app goes on after a middleware: Express's `next`. */
export type Next = (error?: unknown) => void;

/** What the deadline covers: until the response has started, or until it is complete. */
export type Until = 'start' | 'finish';

const LIFETIME = Symbol('express-hangup.lifetime');

interface Carrier {
  [LIFETIME]?: Lifetime;
}

/** The reasons for which this server ends a request while the client is still there. */
const OF_THIS_SERVER = new Set<HangupCode>(['DEADLINE_EXCEEDED', 'RESPONSE_STALLED', 'SERVER_DRAINING']);

/** How long to wait before asking again whether the debugger is still there. */
const DEBUGGER_RETRY_MS = 1000;

/**
 * One request's life, from `hangup()` to the end of the response: its signal, its deadline, who ended it. Exactly one
 * of three things happens to it: it is aborted and then settles, or it settles, or (nothing left to say) neither.
 */
export class Lifetime implements SocketWatcher, Queued {
  /** `performance.now()` when the request arrived at the middleware. */
  readonly arrivedAt = performance.now();
  /** The connection; `undefined` on HTTP/2, where the stream's end is the response's. */
  readonly socket: Socket | undefined;
  /** Why the request was aborted; set before any listener runs, and never changed. */
  reason: HangupError | undefined = undefined;
  /** The response is over, or the client is gone: nothing more will happen. */
  settled = false;
  /** The deadline in ms from the arrival; `Infinity` for none. */
  timeoutMs = Infinity;
  /** An inherited budget in ms from the arrival, which no later deadline may exceed. */
  capMs = Infinity;
  graceMs: number = DEFAULTS.grace;
  /** The longest silence of a response that has begun, in ms; `undefined` while nobody watches. */
  stallMs: number | undefined = undefined;
  until: Until = 'start';
  /** The continuation of the innermost guard, through which the app's error handlers are reached. */
  next: Next | undefined = undefined;
  /** Kept from the moment of the abort: Express resets what it is made of on the way to the error handlers. */
  route: string | undefined = undefined;

  nextOnSocket: SocketWatcher | undefined = undefined;
  dueAt = 0;
  before: Queued | undefined = undefined;
  after: Queued | undefined = undefined;

  private controller: AbortController | undefined = undefined;
  /** Where the app-wide deadline waits; a route's own has a timer. */
  private queue: DeadlineQueue | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  private abortListeners: Set<(reason: HangupError) => void> | undefined = undefined;
  private settleListeners: Set<() => void> | undefined = undefined;

  constructor(
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
  ) {
    carrierOf(res)[LIFETIME] = this;
    this.socket = isHttp2(req) ? undefined : connectionOf(req, res);
    if (isAlreadyGone(req, res, this.socket)) {
      if (!res.writableEnded) this.abort(whoClosed(req, res, this.socket));
      (res as Carrier)[LIFETIME] = this;
      this.settle();
      return;
    }
    peek(res, 'on').call(res, 'close', onResponseClose);
    if (this.socket) watchSocket(this.socket, this);
  }

  /** The request's AbortSignal, made when first asked for. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.reason) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  /** Milliseconds since the request's arrival. */
  elapsed(): number {
    return performance.now() - this.arrivedAt;
  }

  /** Milliseconds left, never below 0; `Infinity` without a deadline, and once the response has met it by starting. */
  remaining(): number {
    if (this.isMet()) return Infinity;
    return Math.max(0, this.timeoutMs - this.elapsed());
  }

  /** Whether the deadline has passed and has ended the request. */
  get expired(): boolean {
    return this.reason?.code === 'DEADLINE_EXCEEDED';
  }

  /** Sets the deadline, in ms from the arrival; an inherited budget stays the cap. */
  setDeadline(timeoutMs: number): void {
    if (this.reason !== undefined || this.settled) return;
    this.timeoutMs = Math.min(timeoutMs, this.capMs);
    this.stopClock();
    if (this.timeoutMs !== Infinity) this.wait(this.timeoutMs - this.elapsed());
  }

  /** Sets the deadline of a request that has just arrived to the one that it shares with all others. */
  joinQueue(queue: DeadlineQueue): void {
    if (this.settled) return;
    this.timeoutMs = queue.ms;
    this.queue = queue;
    queue.add(this, this.arrivedAt);
  }

  /** Whether the time is spent, also in the moment before the timer says so. */
  isOver(): boolean {
    return this.reason !== undefined || this.settled || (!this.isMet() && this.elapsed() >= this.timeoutMs);
  }

  /**
   * Calls `listener` when the request is aborted, at once if it has been; costs no AbortController. Gives the function
   * that takes the listener off; when the request settles it is dropped by itself.
   */
  onAbort(listener: (reason: HangupError) => void): () => void {
    if (this.reason) listener(this.reason);
    if (this.reason !== undefined || this.settled) return () => undefined;
    const listeners = (this.abortListeners ??= new Set());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Calls `listener` once the request has settled, in whatever way; at once if it has. Gives the function that takes it off. */
  onSettle(listener: () => void): () => void {
    if (this.settled) {
      listener();
      return () => undefined;
    }
    const listeners = (this.settleListeners ??= new Set());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Aborts the request's signal. Only the first reason counts; after the request has settled it does nothing. */
  abort(reason: HangupError): void {
    if (this.reason !== undefined || this.settled) return;
    this.reason = reason;
    this.route = routeOf(this.req);
    this.stopClock();
    if (channels.abort.hasSubscribers) {
      channels.abort.publish({ ...this.describe(), code: reason.code });
    }
    this.controller?.abort(reason);
    const listeners = this.abortListeners;
    this.abortListeners = undefined;
    if (listeners) for (const listener of listeners) listener(reason);
  }

  /** Aborts, and when the grace is over answers in the place of a handler that has not, through the app's error handlers. */
  end(reason: HangupError, graceMs = this.graceMs): void {
    if (this.reason !== undefined || this.settled) return;
    this.abort(reason);
    if (graceMs === 0) answerForHandler(this);
    else this.timer = setTimeout(answerForHandler, graceMs, this).unref();
  }

  /** The request's connection has closed (HTTP/1). Comes before the response's `close`, and on Node 20 and 22 instead of it. */
  connectionClosed(): void {
    this.res.off('close', onResponseClose);
    this.closed();
  }

  /** What the events say of every request. */
  describe(): { method: string; route: string | undefined; ms: number } {
    return { method: this.req.method ?? '', route: this.route ?? routeOf(this.req), ms: this.elapsed() };
  }

  /** The response has closed, or its connection has. `writableEnded` tells whether the handler had said its last word. */
  closed(): void {
    if (this.settled) return;
    if (!peek(this.res, 'writableEnded')) this.abort(whoClosed(this.req, this.res, this.socket));
    this.settle();
  }

  private isMet(): boolean {
    if (this.reason !== undefined) return false;
    return this.until === 'start' ? this.res.headersSent : this.res.writableEnded;
  }

  private wait(ms: number): void {
    // Unref'd: a deadline never keeps a process alive; the request's own socket does.
    this.timer = setTimeout(onDeadline, ms, this).unref();
  }

  private stopClock(): void {
    this.queue?.remove(this);
    this.queue = undefined;
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** The deadline's timer, or that of its queue, has fired. */
  deadlinePassed(): void {
    this.queue = undefined;
    this.timer = undefined;
    if (this.isMet()) return;
    const left = this.timeoutMs - this.elapsed();
    if (left > 0) this.wait(left);
    else if (isDebugging()) this.wait(DEBUGGER_RETRY_MS);
    else this.end(new DeadlineExceededError(this.timeoutMs));
  }

  private settle(): void {
    this.settled = true;
    this.stopClock();
    this.abortListeners = undefined;
    if (this.socket) unwatchSocket(this.socket, this);
    // Found by its connection until now, should the app have put another object in the place of `res.locals`.
    if (carrierOf(this.res)[LIFETIME] !== this) (this.res as Carrier)[LIFETIME] = this;
    if (this.settleListeners) for (const listener of this.settleListeners) listener();
    this.settleListeners = undefined;
    if (channels.settle.hasSubscribers) publishSettle(this);
    // Answered after its time, by whomever: a second answer is as late as any.
    if (this.reason !== undefined && OF_THIS_SERVER.has(this.reason.code)) discardLateCalls(this);
  }
}

function onDeadline(lifetime: Lifetime): void {
  lifetime.deadlinePassed();
}

function onResponseClose(this: ServerResponse): void {
  lifetimeFor(this, peek(this, 'req'))?.closed();
}

function publishSettle(lifetime: Lifetime): void {
  const { reason, req, res, socket } = lifetime;
  // On Node 20 and 22 a response that had ended but was not flushed counts as finished on a dead connection too: then
  // the connection has an error. (That it is destroyed says nothing: after `Connection: close` it should be.)
  const isFlushed = res.writableFinished && !socket?.errored;
  const outcome = reason?.code ?? (isFlushed ? 'finished' : whoClosed(req, res, socket).code);
  const status = outcome === 'CLIENT_CLOSED_REQUEST' ? 499 : res.statusCode;
  channels.settle.publish({ ...lifetime.describe(), status, outcome });
}

/** The lifetime that `hangup()` or `deadline()` has attached to this request. */
export function lifetimeOf(req: IncomingMessage): Lifetime | undefined {
  const res = responseOf(req);
  return res === undefined ? (req as Carrier)[LIFETIME] : lifetimeFor(res, req);
}

/** Express's way from a request to its response. */
function responseOf(req: IncomingMessage & { res?: ServerResponse }): ServerResponse | undefined {
  return peek(req, 'res');
}

function lifetimeFor(res: ServerResponse, req: IncomingMessage): Lifetime | undefined {
  return carrierOf(res)[LIFETIME] ?? ownLifetime(res as Carrier) ?? onConnection(res, req);
}

function ownLifetime(res: Carrier): Lifetime | undefined {
  return Object.hasOwn(res, LIFETIME) ? res[LIFETIME] : undefined;
}

/**
 * Where a lifetime is kept: in Express's `res.locals`, and without Express on the response itself. On Node 20 one more
 * property on the request or the response of Express costs 2 to 3 µs: their prototypes have been replaced.
 */
function carrierOf(res: ServerResponse & { locals?: unknown }): Carrier {
  const locals = peek(res, 'locals');
  return typeof locals === 'object' && locals !== null ? locals : (res as Carrier);
}

/** The way to a lifetime whose `res.locals` the app has replaced. */
function onConnection(res: ServerResponse, req: IncomingMessage): Lifetime | undefined {
  const socket = connectionOf(req, res);
  let watcher = socket && firstWatcher(socket);
  while (watcher !== undefined && !(watcher instanceof Lifetime && watcher.res === res)) {
    watcher = watcher.nextOnSocket;
  }
  return watcher;
}

/** The request's lifetime; where there is none yet, a new one without a deadline. */
export function attachLifetime(req: IncomingMessage, res: ServerResponse): Lifetime {
  return lifetimeOf(req) ?? newLifetime(req, res);
}

/** Attaches a lifetime to a request that has none. */
export function newLifetime(req: IncomingMessage, res: ServerResponse): Lifetime {
  const lifetime = new Lifetime(req, res);
  if (responseOf(req) === undefined) (req as Carrier)[LIFETIME] = lifetime;
  return lifetime;
}
