/** One query, cursor or COPY on a connection, as the guard sees it. */
export interface Call {
  /** What it obeys; empty for a call that only has to wait for its turn. */
  readonly signals: readonly AbortSignal[];
  /** The SQL, where it is known. */
  readonly text: string | undefined;
  /** Hands it to the driver. When it has ended, `ConnectionGuard.over()` is to be called. */
  send(): void;
  /** Tells the caller that it was aborted: instead of being sent, or when it is over in the database. */
  abort(reason: unknown): void;
  /** Tells the caller how it ended. Absent where the driver has told it already. */
  deliver?(error: unknown, result: unknown): void;
  /** Ends what only waits for its client: an idle cursor, a COPY. True where the database need not be asked any more. */
  interrupt?(reason: unknown): boolean;
  /** Whether it can never hear of its end, because nobody reads what the database sends. Then its connection is closed. */
  isStuck?(): boolean;
}

/** A call that has been sent, and what is known of its end. */
export interface Running {
  readonly call: Call;
  off: () => void;
  aborted: { reason: unknown } | undefined;
  isOver: boolean;
  error: unknown;
  result: unknown;
  /** Tells the cancel that the query is over. */
  onOver: (() => void) | undefined;
}

/** The state of a call that has just been sent. */
export function running(call: Call): Running {
  return {
    call,
    off: () => undefined,
    aborted: undefined,
    isOver: false,
    error: undefined,
    result: undefined,
    onOver: undefined,
  };
}

/** Waits until the call is over, at most for so long. */
export function untilOver(run: Running, ms: number): Promise<boolean> {
  if (run.isOver) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    run.onOver = () => {
      clearTimeout(timer);
      resolve(true);
    };
  });
}
