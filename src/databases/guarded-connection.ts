/** How a cancel ended: the server has carried it out; it was not sent; or it is unknown. */
export type CancelEnd = 'done' | 'unsent' | 'unknown';

/** A driver's connection, as the guard uses it. */
export interface GuardedConnection {
  /** Whether a query that is sent now starts now. */
  isIdle(): boolean;
  /** Calls `then` when the connection is idle or gone. */
  whenIdle(then: () => void): void;
  /** Sends a cancel for the running call over a connection of its own. `isWanted` is called right before it is sent. */
  cancel(timeoutMs: number, isWanted: () => boolean): Promise<CancelEnd>;
  /** Whether a query with this error was ended by a cancel, and not by itself. */
  isCancelled(error: unknown): boolean;
  /** Whether a transaction is open. */
  isInTransaction(): boolean;
  /** Closes the connection, even while a call runs on it. That call may never be told. */
  close(): void;
}
