import { abortedReason, onAbort } from './abort-listeners';

/** What a pool calls when it has a connection. */
export type Acquired = (error: unknown, connection?: Releasable, release?: unknown) => void;

/** A connection that is given back without a word. */
export interface Releasable {
  release?: (() => void) | undefined;
}

/** How a pool lets wait. */
export interface WaitingRoom {
  /** How many wait. */
  count(): number;
  /** Who came last. */
  last(): unknown;
  /** Takes one out of the queue. */
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
    // Too late to leave: it was being connected. The next one gets it.
    if (isGivenUp) connection?.release?.();
    else callback(error, connection, release);
  });
  const place = room.count() > before ? room.last() : undefined;
}
