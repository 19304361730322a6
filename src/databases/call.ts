import type { AbortListener, Registration } from './abort-listeners';

/** One query, cursor or COPY on a connection, as the guard sees it. */
export interface Call {
  /** The signals that end it; empty for a call that only has to wait for its turn. */
  readonly signals: readonly AbortSignal[];
  /** The SQL, if it is known. Read only when a signal aborts. */
  readonly text: string | undefined;
  /** Tells the caller that the call was aborted: before it was sent, or when it has ended in the database. */
  abort(reason: unknown): void;
  /** Tells the caller how the call ended. Absent if the driver tells the caller. */
  deliver?(error: unknown, result: unknown): void;
  /**
   * Ends a call that only waits for its client: an idle cursor, a COPY. True if the database need not be asked any
   * more.
   */
  interrupt?(reason: unknown): boolean;
  /** Whether its end can never be seen, because the database's data is not read. Then its connection is closed. */
  isStuck?(): boolean;
}

/** A call that the guard sends when its turn comes. */
export interface QueuedCall extends Call {
  /** Passes it to the driver. When it has ended, `ConnectionGuard.over()` must be called. */
  send(): void;
}

/** A call that has been sent, and its end. */
export interface Running {
  readonly call: Call;
  aborted: { reason: unknown } | undefined;
  isOver: boolean;
  error: unknown;
  result: unknown;
  /** Tells the cancel that the query is over. */
  onOver: (() => void) | undefined;
  /** With its signals. */
  registration: Registration | undefined;
}

/** A call of the guard's own queue that has just been sent. */
export class SentCall implements Running, AbortListener {
  aborted: { reason: unknown } | undefined = undefined;
  isOver = false;
  error: unknown = undefined;
  result: unknown = undefined;
  onOver: (() => void) | undefined = undefined;
  registration: Registration | undefined = undefined;

  constructor(
    readonly call: Call,
    private readonly guard: { cancel(run: Running, reason: unknown): void },
  ) {}

  onAbort(reason: unknown): void {
    this.guard.cancel(this, reason);
  }
}

/** A release that waits until the connection is free. */
export interface HeldRelease {
  error: unknown;
  release: (error: unknown) => void;
  /** The pool's query that has run on it. */
  poolQuery: Running | undefined;
}

/** Waits until the call is over, at most for `ms`. */
export function untilOver(run: Running, ms: number): Promise<boolean> {
  if (run.isOver) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    const isOver = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    run.onOver = isOver;
  });
}
