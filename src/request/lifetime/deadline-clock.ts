import type { AsyncResource } from 'node:async_hooks';
import { performance as nodePerformance } from 'node:perf_hooks';
import timers from 'node:timers';
import { MAX_MS } from '../../options';
import { unrefTimeout } from './unref-timeout';

/** Node's own timers and clock, kept when this file loads: node:test's mock timers replace `timers.setTimeout`, too. */
const { setTimeout: nodeSetTimeout, setImmediate: nodeSetImmediate } = timers;
const nodeNow = nodePerformance.now.bind(nodePerformance);

/** An object that has a deadline; also a link in the list of a `DeadlineQueue`. */
export interface Timed extends Pick<AsyncResource, 'runInAsyncScope'> {
  /** The time is up. */
  deadlinePassed(): void;
  /** `performance.now()` when its time began. */
  readonly arrivedAt: number;
  before: Timed | undefined;
  after: Timed | undefined;
}

/** A deadline that has not passed yet; `stop()` cancels it. */
export interface Waiting {
  stop(timed: Timed): void;
}

/**
 * A timer that is later than this shows a blocked event loop: answers that arrived meanwhile have not been read
 * yet.
 */
const BLOCKED_MS = 10;

/**
 * Whether `setTimeout` is Node's own. A test with fake timers, or another runtime, replaces it. Then the timer decides
 * that the time is up, not `performance.now()`; so each deadline gets its own timer.
 */
function areTimersNodes(): boolean {
  return setTimeout === nodeSetTimeout;
}

/**
 * Deadlines of one duration. They pass in the order in which they were added, so one timer for the first serves all: a
 * Node timer for each request would be the most expensive part of `hangup()`. The timer keeps running when the list
 * becomes empty. When it fires, it is set again for the first deadline in the list by then.
 *
 * It keeps to Node's own timers and clock. A test may put fake timers in their place while requests wait; a timer of
 * theirs would be lost with them, and no later deadline would pass.
 */
export class DeadlineQueue implements Waiting {
  private first: Timed | undefined = undefined;
  private last: Timed | undefined = undefined;
  private isWaiting = false;

  /** Makes an empty queue for deadlines that pass `ms` after they were added. */
  constructor(readonly ms: number) {}

  /**
   * Calls `timed.deadlinePassed()` when the time is up, unless it is stopped before. Gives the object that stops
   * it.
   */
  add(timed: Timed): Waiting {
    if (!areTimersNodes()) return new DeadlineTimer(timed, this.ms);
    timed.before = this.last;
    if (this.last) this.last.after = timed;
    else this.first = timed;
    this.last = timed;
    if (!this.isWaiting) this.wait(this.ms);
    return this;
  }

  /** Removes a deadline, at any position. */
  stop(timed: Timed): void {
    const { before, after } = timed;
    if (before) before.after = after;
    else this.first = after;
    if (after) after.before = before;
    else this.last = before;
    timed.before = timed.after = undefined;
  }

  private waitForFirst(now: number): void {
    // deadlinePassed() runs the app's code, which may have added a deadline and so have set the timer.
    if (this.first !== undefined && !this.isWaiting) this.wait(this.dueAt(this.first) - now + 1);
  }

  private dueAt(timed: Timed): number {
    return timed.arrivedAt + this.ms;
  }

  private wait(ms: number): void {
    this.isWaiting = true;
    // Unref'd: a deadline never keeps a process alive; the request's own socket does.
    nodeSetTimeout(queueDue, ms, this).unref();
  }

  /** The timer has fired, for a deadline that may have been stopped since. */
  timerFired(): void {
    const { first } = this;
    // Node's timers may fire a fraction of a millisecond early.
    const lateMs = first === undefined ? 0 : nodeNow() - this.dueAt(first);
    if (lateMs > BLOCKED_MS) nodeSetImmediate(afterRead, this);
    else this.passDue();
  }

  /** Ends all deadlines that are due, and waits for the next. */
  passDue(): void {
    this.isWaiting = false;
    const now = nodeNow() + 1;
    while (this.first !== undefined && this.dueAt(this.first) <= now) {
      const due = this.first;
      this.stop(due);
      // The timer runs in the async context of the request that set it. An AsyncLocalStorage must give each request
      // its own.
      due.runInAsyncScope(() => due.deadlinePassed());
    }
    this.waitForFirst(now);
  }
}

function queueDue(queue: DeadlineQueue): void {
  queue.timerFired();
}

/** Waits one more turn of the event loop, so that sockets have been read since the timer fired. */
function afterRead(queue: DeadlineQueue): void {
  nodeSetImmediate(passDue, queue);
}

function passDue(queue: DeadlineQueue): void {
  queue.passDue();
}

/** One deadline with a timer of its own, in ms from now. It may be longer than Node's longest timer. */
export class DeadlineTimer implements Waiting {
  private timer: NodeJS.Timeout | undefined = undefined;
  private immediate: NodeJS.Immediate | undefined = undefined;
  /** Fake timers that have been put in the place of Node's meanwhile do not clear a timer of Node. */
  private isStopped = false;

  constructor(
    private readonly timed: Timed,
    ms: number,
  ) {
    this.wait(ms);
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    if (this.immediate) clearImmediate(this.immediate);
  }

  private wait(ms: number): void {
    const partMs = Math.min(Math.max(ms, 0), MAX_MS);
    const dueAt = performance.now() + partMs;
    // Unref'd: a deadline never keeps a process alive; the request's own socket does.
    this.timer = unrefTimeout(() => {
      if (this.isStopped) return;
      if (ms > partMs) this.wait(ms - partMs);
      else if (areTimersNodes() && performance.now() - dueAt > BLOCKED_MS) this.readFirst();
      else this.timed.deadlinePassed();
    }, partMs);
  }

  private readFirst(): void {
    this.immediate = setImmediate(() => {
      this.immediate = setImmediate(() => this.timed.deadlinePassed());
    });
  }
}
