import type { WaitingRoom } from '../acquire';
import { at } from './mysql2-connection';
import type { CorePool } from './types';

/** mysql2's list of those who wait is private; where it is not there, a place is given up when its turn comes. */
export function waitingRoom({ _connectionQueue: queue }: CorePool): WaitingRoom {
  return {
    count: () => queue?.length ?? 0,
    last: () => queue && at(queue, queue.length - 1),
    leave(place) {
      if (queue === undefined) return;
      for (let index = 0; index < queue.length; index += 1) {
        if (at(queue, index) !== place) continue;
        queue.removeOne(index);
        return;
      }
    },
  };
}
