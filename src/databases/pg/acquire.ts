import { abortedReason, onAbort } from '../abort-listeners';
import type { PgClient } from './types';

/** What `pool.connect()` calls. */
export type ConnectCallback = (error: unknown, client?: PgClient, release?: unknown) => void;

/** pg-pool's list of those who wait, private to it. */
interface WaitingRoom {
  readonly _pendingQueue?: unknown[];
}

/** Takes a client from the pool, or gives the place in its queue up when a signal aborts first. */
export function acquire(
  pool: object,
  connect: (callback: ConnectCallback) => void,
  signals: readonly AbortSignal[],
  callback: ConnectCallback,
): void {
  const aborted = abortedReason(signals);
  if (aborted) {
    process.nextTick(callback, aborted.reason);
    return;
  }
  const queue = (pool as WaitingRoom)._pendingQueue;
  const before = queue?.length ?? 0;
  let isGivenUp = false;
  const off = onAbort(signals, (reason) => {
    isGivenUp = true;
    if (place !== undefined) leave(queue, place);
    callback(reason);
  });
  connect((error, client, release) => {
    off();
    // Too late to leave: it was being connected. The next one gets it.
    if (isGivenUp) client?.release?.();
    else callback(error, client, release);
  });
  const place = queue !== undefined && queue.length > before ? queue.at(-1) : undefined;
}

function leave(queue: unknown[] | undefined, place: unknown): void {
  const index = queue?.indexOf(place) ?? -1;
  if (index >= 0) queue?.splice(index, 1);
}
