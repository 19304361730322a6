import type { WaitingRoom } from '../acquire';

/** pg-pool's list of those who wait is private; where it is not there, a place is given up when its turn comes. */
export function waitingRoom(pool: object): WaitingRoom {
  const queue = (): unknown[] => (pool as { _pendingQueue?: unknown[] })._pendingQueue ?? [];
  return {
    count: () => queue().length,
    last: () => queue().at(-1),
    leave(place) {
      const index = queue().indexOf(place);
      if (index >= 0) queue().splice(index, 1);
    },
  };
}
