import { AsyncResource, executionAsyncId } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { DeadlineExceededError, type HangupError } from '../../errors';
import { channels } from '../../events';
import { DeadlineTimer, type DeadlineQueue, type Timed, type Waiting } from './deadline-clock';
import { isDebugging } from './debugger';
import { callListeners, withListener, withoutListener, type Listeners } from './listeners';
import { requestController } from './request-signal';
import { DEFAULT_TERMS, type Terms } from './terms';
import { routeOf } from '../route/route';

/** How the app goes on after a middleware: Express's `next`. */
export type Next = (error?: unknown) => void;

/**
 * Who may write to the response now.
 *
 * - `handler`: every write is sent.
 * - `grace`: the deadline has passed, and only a status that reports a failure is sent.
 * - `answer`: the app's error handlers write, past every middleware.
 * - `middleware`: the answer is given, and the part of it that a middleware holds back is still sent.
 * - `nobody`: no write is sent any more.
 */
export type Speaker = 'handler' | 'grace' | 'answer' | 'middleware' | 'nobody';

/** What a lifetime needs from outside: the state of its response, and the actions to take when its time is up. */
export interface LifetimeHost {
  /** Whether bytes of the response have left. */
  hasStarted(lifetime: Lifetime): boolean;
  /** Whether `end()` was called on the response, and no middleware holds it back. */
  hasEnded(lifetime: Lifetime): boolean;
  /** Whether the response, or its connection, has closed. */
  hasClosed(lifetime: Lifetime): boolean;
  /** Calls `lifetime.closed()` when the response has closed. */
  watchClose(lifetime: Lifetime): void;
  /** Stops calling `lifetime.closed()` when the connection closes. */
  leaveConnection(lifetime: Lifetime): void;
  /** Who closed the connection of a response that had not ended. */
  whoClosed(lifetime: Lifetime): HangupError;
  /** The response started in time, so the deadline is met. The part that a middleware holds back must still be sent. */
  deadlineMet(lifetime: Lifetime): void;
  /** Ends the request for this reason. */
  end(lifetime: Lifetime, reason: HangupError, graceMs: number): void;
  /** A success was refused within the grace: the error handlers may answer now. */
  refused(lifetime: Lifetime): void;
  /** An aborted request has settled. */
  aborted(lifetime: Lifetime): void;
  /** The response's status (499 if the client left before it started), and whether all of the response has left. */
  result(lifetime: Lifetime): { status: number; isFlushed: boolean };
}

/** How long to wait before asking again whether the debugger is still there. */
const DEBUGGER_RETRY_MS = 1000;

/**
 * One request's lifetime, from `hangup()` to the end of the response: its signal, its deadline, and who ended it. It
 * settles once. An abort always comes before that.
 *
 * A timer, a connection or a drain may end several requests. What a lifetime calls for such a reason runs in the async
 * context of its own request.
 */
export class Lifetime extends AsyncResource implements Timed {
  /** `performance.now()` when the request arrived at the middleware. */
  readonly arrivedAt = performance.now();
  /** Why the request was aborted; set before any listener runs, and never changed. */
  reason: HangupError | undefined = undefined;
  speaker: Speaker = 'handler';
  /** The response has been ended, and the call of `end()` has reached Node. */
  isEnded = false;
  /** `res.end()` was called; a middleware may hold that call back. */
  isEndCalled = false;
  /** The deadline in ms from the arrival; `Infinity` for none. */
  timeoutMs = Infinity;
  terms: Terms = DEFAULT_TERMS;
  /** Called when the response has been ended. Set if something else than a handler in time is expected to end it. */
  onEnded: ((lifetime: Lifetime) => void) | undefined = undefined;
  /** Called when the head of the response has been made. */
  onHead: (() => void) | undefined = undefined;
  /** Counts the writes that were let through after `speaker` was no longer `handler`. */
  passes = 0;
  /** Node is writing to the response. The methods that Node itself calls then are not late calls. */
  isPassing = false;
  /** The innermost guard's `next`. An error passed to it reaches the app's error handlers. */
  next: Next | undefined = undefined;
  /** The route, read at the abort: Express resets the properties it is read from on the way to the error handlers. */
  route: string | undefined = undefined;

  /** The HTTP/1 connection that the request came on, and its neighbours there. */
  socket: Socket | undefined = undefined;
  older: Lifetime | undefined = undefined;
  newer: Lifetime | undefined = undefined;

  before: Timed | undefined = undefined;
  after: Timed | undefined = undefined;

  private waiting: Waiting | undefined = undefined;
  private isSettled = false;
  private isCloseWatched = false;
  private controller: AbortController | undefined = undefined;
  private abortListeners: Listeners<(reason: HangupError) => void> = undefined;
  private settleListeners: Listeners<() => void> = undefined;

  constructor(
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
    private readonly host: LifetimeHost,
  ) {
    // What Node would ask for itself, but in half the time.
    super('express-hangup', executionAsyncId());
  }

  /**
   * A request keeps no process alive. Tools that list what does (why-is-node-running) ask each async resource, and take one
   * without an answer for such a handle until it is collected.
   */
  hasRef(): boolean {
    return false;
  }

  /** The request's AbortSignal, made on first use. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = requestController();
      if (this.reason) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  /** Whether the request is over: the response has closed, or the client is gone. */
  get settled(): boolean {
    return this.isSettled || (this.isEnded && this.host.hasClosed(this));
  }

  /** Milliseconds since the request's arrival. */
  elapsed(): number {
    return performance.now() - this.arrivedAt;
  }

  /** Milliseconds left, never below 0; `Infinity` without a deadline, and once the response has met it by starting. */
  remaining(): number {
    if (this.isMet()) return Infinity;
    // Node's timers may fire a fraction of a millisecond early.
    return this.expired ? 0 : Math.max(0, this.timeoutMs - this.elapsed());
  }

  /** Whether the deadline has passed and has ended the request. */
  get expired(): boolean {
    return this.reason?.code === 'DEADLINE_EXCEEDED';
  }

  /** Whether the request is over or its time is up, even if the timer has not fired yet. */
  isOver(): boolean {
    return this.reason !== undefined || this.settled || (!this.isMet() && this.elapsed() >= this.timeoutMs);
  }

  /** Sets the deadline, in ms from the arrival; an inherited budget stays the cap. */
  setDeadline(timeoutMs: number): void {
    if (this.reason !== undefined || this.isEnded || this.isSettled) return;
    this.timeoutMs = Math.min(timeoutMs, this.terms.capMs);
    this.stopClock();
    if (this.timeoutMs !== Infinity) this.wait(this.timeoutMs - this.elapsed());
  }

  /** Sets the deadline of a request that has just arrived to the one that it shares with all others. */
  joinQueue(queue: DeadlineQueue): void {
    if (this.isSettled) return;
    this.timeoutMs = queue.ms;
    this.waiting = queue.add(this);
  }

  /** The deadline's timer, or that of its queue, has fired. */
  deadlinePassed(): void {
    this.waiting = undefined;
    if (this.isMet()) this.host.deadlineMet(this);
    else if (isDebugging()) this.wait(DEBUGGER_RETRY_MS);
    else this.end(new DeadlineExceededError(this.timeoutMs));
  }

  /** Waits for something else in place of the deadline. `stopClock()` stops it as well. */
  waitFor(waiting: Waiting): void {
    this.stopClock();
    this.waiting = waiting;
  }

  /** Stops the deadline's timer. */
  stopClock(): void {
    this.waiting?.stop(this);
    this.waiting = undefined;
  }

  private wait(ms: number): void {
    this.waiting = new DeadlineTimer(this, ms);
  }

  private isMet(): boolean {
    if (this.reason !== undefined) return false;
    return this.terms.until === 'start' ? this.host.hasStarted(this) : this.host.hasEnded(this);
  }

  /**
   * Calls `listener` when the request is aborted; at once if it has been. It needs no AbortController. Gives the
   * function that removes the listener. When the request settles, the listener is removed anyway.
   */
  onAbort(listener: (reason: HangupError) => void): () => void {
    if (this.reason) listener(this.reason);
    if (this.reason !== undefined || this.isEnded || this.isSettled) return () => undefined;
    this.abortListeners = withListener(this.abortListeners, listener);
    return () => {
      this.abortListeners = withoutListener(this.abortListeners, listener);
    };
  }

  /** Calls `listener` once the request has settled; at once if it has. Gives the function that removes the listener. */
  onSettle(listener: () => void): () => void {
    if (this.settled) {
      listener();
      return () => undefined;
    }
    this.settleListeners = withListener(this.settleListeners, listener);
    this.watchClose();
    return () => {
      this.settleListeners = withoutListener(this.settleListeners, listener);
    };
  }

  /** Aborts the request's signal. Only the first reason counts; after the response has ended it does nothing. */
  abort(reason: HangupError): void {
    if (this.reason !== undefined || this.isEnded || this.isSettled) return;
    this.reason = reason;
    this.route = routeOf(this.req);
    this.stopClock();
    this.watchClose();
    if (channels.abort.hasSubscribers) channels.abort.publish({ ...this.describe(), code: reason.code });
    this.controller?.abort(reason);
    callListeners(this.abortListeners, reason);
    this.abortListeners = undefined;
  }

  /**
   * Ends the request for this reason. A response that has started is cut. Otherwise the signal aborts; if the
   * handler has not answered when the grace is over, the app's error handlers answer in its place.
   */
  end(reason: HangupError, graceMs = this.terms.graceMs): void {
    if (this.reason === undefined && !this.isEnded && !this.isSettled) {
      this.host.end(this, reason, graceMs);
    }
  }

  /** A success has come within the grace, and was not sent. */
  refused(): void {
    this.host.refused(this);
  }

  /** The response has been ended. The request can no longer be aborted; it settles when the response has closed. */
  ended(): void {
    this.isEnded = true;
    this.stopClock();
    if (this.settleListeners !== undefined || channels.settle.hasSubscribers) this.watchClose();
    // No listener waits for the close. From here on `settled` asks the response.
    else if (!this.isCloseWatched) this.host.leaveConnection(this);
    this.onEnded?.(this);
  }

  /** The response has closed, or its connection has. */
  closed(): void {
    if (this.isSettled) return;
    if (!this.host.hasEnded(this)) this.abort(this.host.whoClosed(this));
    this.settle();
  }

  /** The fields that all events about a request have in common. */
  describe(): { method: string; route: string | undefined; ms: number } {
    return { method: this.req.method ?? '', route: this.route ?? routeOf(this.req), ms: this.elapsed() };
  }

  /** Listens to the response's own `close`, too, and not only to its connection's. */
  watchClose(): void {
    if (this.isCloseWatched) return;
    this.isCloseWatched = true;
    this.host.watchClose(this);
  }

  private settle(): void {
    this.isSettled = true;
    this.stopClock();
    this.abortListeners = undefined;
    this.host.leaveConnection(this);
    if (this.reason !== undefined) this.host.aborted(this);
    callListeners(this.settleListeners);
    this.settleListeners = undefined;
    if (channels.settle.hasSubscribers) this.publishSettle();
  }

  private publishSettle(): void {
    const { status, isFlushed } = this.host.result(this);
    const outcome = this.reason?.code ?? (isFlushed ? 'finished' : this.host.whoClosed(this).code);
    channels.settle.publish({
      ...this.describe(),
      status: outcome === 'CLIENT_CLOSED_REQUEST' ? 499 : status,
      outcome,
    });
  }
}
