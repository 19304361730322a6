/** How a request to cancel ended: dealt with by the server; never sent; or nobody can tell. */
export type CancelEnd = 'done' | 'unsent' | 'unknown';

/** What a guard needs to know of a driver's connection. */
export interface GuardedConnection {
  /** Whether a query that is sent now starts now. */
  isIdle(): boolean;
  /** Calls `then` when the connection is idle or gone. */
  whenIdle(then: () => void): void;
  /** Asks the server over a connection of its own to end what runs here. `isWanted` is asked right before the word is sent. */
  cancel(timeoutMs: number, isWanted: () => boolean): Promise<CancelEnd>;
  /** Whether a query with this error was ended by a cancel, and not by itself. */
  isCancelled(error: unknown): boolean;
  /** Whether a transaction is open. */
  isInTransaction(): boolean;
  /** Closes the connection, whatever runs on it. Its call may never hear of it. */
  close(): void;
}
