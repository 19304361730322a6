import type { AsyncResource } from 'node:async_hooks';
import timers from 'node:timers';
import { MAX_MS } from '../../options';

/** Node's own, kept from the start: node:test's mock timers replace this one, too. */
const nodeSetTimeout = timers.setTimeout;

/** Whose deadline is kept; a link in the list of a `DeadlineQueue`. */
export interface Timed extends Pick<AsyncResource, 'runInAsyncScope'> {
  /** The time is up. */
  deadlinePassed(): void;
  /** `performance.now()` when its time began. */
  readonly arrivedAt: number;
  before: Timed | undefined;
  after: Timed | undefined;
}

/** A deadline that is waiting; `stop()` gives it up. */
export interface Waiting {
  stop(timed: Timed): void;
}

/** Later than this the event loop was blocked: answers that arrived meanwhile have not been read yet. */
const BLOCKED_MS = 10;

/**
 * Whether somebody has put timers of their own in the place of Node's: a test with fake timers, or another runtime. Such a
 * timer tells the time, whatever `performance.now()` says, so each deadline then has one of its own.
 */
function areTimersNodes(): boolean {
  return setTimeout === nodeSetTimeout;
}

/**
 * Deadlines of one duration. They pass in the order in which they were added, so one timer for the first serves all: a
 * Node timer for each request would be the dearest part of `hangup()`. The timer is left alone when the list runs empty;
 * when it fires it waits for whoever is first by then.
 */
export class DeadlineQueue implements Waiting {
  private first: Timed | undefined = undefined;
  private last: Timed | undefined = undefined;
  private isWaiting = false;

  /** Makes an empty queue for deadlines that pass `ms` after they were added. */
  constructor(readonly ms: number) {}

  /** Calls `deadlinePassed()` when the time is up, unless it is stopped before. Gives what stops it. */
  add(timed: Timed): Waiting {
    if (!areTimersNodes()) return new DeadlineTimer(timed, this.ms);
    timed.before = this.last;
    if (this.last) this.last.after = timed;
    else this.first = timed;
    this.last = timed;
    if (!this.isWaiting) this.wait(this.ms);
    return this;
  }

  /** Takes a deadline out, wherever it stands. */
  stop(timed: Timed): void {
    const { before, after } = timed;
    if (before) before.after = after;
    else this.first = after;
    if (after) after.before = before;
    else this.last = before;
    timed.before = timed.after = undefined;
  }

  private waitForFirst(now: number): void {
    // deadlinePassed() runs the app's code, which may have added one and begun to wait for it.
    if (this.first !== undefined && !this.isWaiting) this.wait(this.dueAt(this.first) - now + 1);
  }

  private dueAt(timed: Timed): number {
    return timed.arrivedAt + this.ms;
  }

  private wait(ms: number): void {
    this.isWaiting = true;
    // Unref'd: a deadline never keeps a process alive; the request's own socket does.
    setTimeout(queueDue, ms, this).unref();
  }

  /** The timer has fired, for a deadline that may have been stopped since. */
  timerFired(): void {
    const { first } = this;
    // A timer of Node may be a fraction of a millisecond early.
    const lateMs = first === undefined ? 0 : performance.now() - this.dueAt(first);
    if (lateMs > BLOCKED_MS) setImmediate(afterRead, this);
    else this.passDue();
  }

  /** Ends whatever is due, and waits for the next. */
  passDue(): void {
    this.isWaiting = false;
    const now = performance.now() + 1;
    while (this.first !== undefined && this.dueAt(this.first) <= now) {
      const due = this.first;
      this.stop(due);
      // The timer is of whoever armed it: an AsyncLocalStorage must give each request its own store.
      due.runInAsyncScope(() => due.deadlinePassed());
    }
    this.waitForFirst(now);
  }
}

function queueDue(queue: DeadlineQueue): void {
  queue.timerFired();
}

/** After one more turn of the event loop: in this one, sockets have been read since the timer fired. */
function afterRead(queue: DeadlineQueue): void {
  setImmediate(passDue, queue);
}

function passDue(queue: DeadlineQueue): void {
  queue.passDue();
}

/** One deadline with a timer of its own, in ms from now; longer than a timer of Node can hold, too. */
export class DeadlineTimer implements Waiting {
  private timer: NodeJS.Timeout | undefined = undefined;
  private immediate: NodeJS.Immediate | undefined = undefined;

  constructor(
    private readonly timed: Timed,
    ms: number,
  ) {
    this.wait(ms);
  }

  stop(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
  }

  private wait(ms: number): void {
    const partMs = Math.min(Math.max(ms, 0), MAX_MS);
    const dueAt = performance.now() + partMs;
    // Unref'd: a deadline never keeps a process alive; the request's own socket does.
    this.timer = setTimeout(() => {
      if (ms > partMs) this.wait(ms - partMs);
      else if (areTimersNodes() && performance.now() - dueAt > BLOCKED_MS) this.readFirst();
      else this.timed.deadlinePassed();
    }, partMs);
    this.timer.unref();
  }

  private readFirst(): void {
    this.immediate = setImmediate(() => {
      this.immediate = setImmediate(() => this.timed.deadlinePassed());
    });
  }
}
