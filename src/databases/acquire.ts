import { abortedReason, onAbort } from './abort-listeners';

/** The callback that a pool calls when it has a connection. */
export type Acquired = (error: unknown, connection?: Releasable, release?: unknown) => void;

/** A connection that can be released without an error. */
export interface Releasable {
  release?: (() => void) | undefined;
}

/** A pool's queue of requests for a connection. */
export interface WaitingRoom {
  /** The length of the queue. */
  count(): number;
  /** The last place in the queue. */
  last(): unknown;
  /** Removes a place from the queue. */
  leave(place: unknown): void;
}

/** Takes a connection from a pool, or gives the place in its queue up when a signal aborts first. */
export function acquire(
  room: WaitingRoom,
  take: (callback: Acquired) => void,
  signals: readonly AbortSignal[],
  callback: Acquired,
): void {
  const aborted = abortedReason(signals);
  if (aborted) {
    process.nextTick(callback, aborted.reason);
    return;
  }
  const before = room.count();
  let isGivenUp = false;
  const off = onAbort(signals, (reason) => {
    isGivenUp = true;
    if (place !== undefined) room.leave(place);
    callback(reason);
  });
  take((error, connection, release) => {
    off();
    // Too late to leave the queue: the connection was being made. The next request in the queue gets it.
    if (isGivenUp) connection?.release?.();
    else callback(error, connection, release);
  });
  const place = room.count() > before ? room.last() : undefined;
}
