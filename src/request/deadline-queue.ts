/** Whose deadline a queue keeps; a link in its list. */
export interface Queued {
  deadlinePassed(): void;
  /** `performance.now()` of the deadline. */
  dueAt: number;
  before: Queued | undefined;
  after: Queued | undefined;
}

/**
 * Deadlines of one duration. They pass in the order in which they were added, so one timer for the first serves all: a
 * Node timer for each request would be the dearest part of `hangup()`.
 */
export class DeadlineQueue {
  private first: Queued | undefined = undefined;
  private last: Queued | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;

  /** Makes an empty queue for deadlines that pass `ms` after they were added. */
  constructor(readonly ms: number) {}

  /** Calls `deadlinePassed()` when the time is up, unless it is removed before. */
  add(queued: Queued, now: number): void {
    queued.dueAt = now + this.ms;
    queued.before = this.last;
    queued.after = undefined;
    if (this.last) this.last.after = queued;
    else this.first = queued;
    this.last = queued;
    this.timer ??= this.wait(this.ms);
  }

  /** Takes a deadline out, wherever it stands. The timer goes with the last one. */
  remove(queued: Queued): void {
    const { before, after } = queued;
    if (before) before.after = after;
    else this.first = after;
    if (after) after.before = before;
    else this.last = before;
    queued.before = queued.after = undefined;
    if (this.first !== undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private wait(ms: number): NodeJS.Timeout {
    // Unref'd: a deadline never keeps a process alive; the request's own socket does.
    return setTimeout(passDue, ms, this).unref();
  }

  /** The timer has fired, for a deadline that may have been removed since. */
  passDue(): void {
    this.timer = undefined;
    const now = performance.now();
    while (this.first !== undefined && this.first.dueAt <= now) {
      const due = this.first;
      this.remove(due);
      due.deadlinePassed();
    }
    if (this.first !== undefined) this.timer ??= this.wait(this.first.dueAt - now);
  }
}

function passDue(queue: DeadlineQueue): void {
  queue.passDue();
}
