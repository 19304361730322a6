import { learnFromClose } from '../learned/learn-from-close';
import type { Origins } from '../learned/origin-log';
import type { RecentFaults } from '../requests/recent-faults';
import type { RecentAborts } from '../verdicts/recent-aborts';
import type { CallStarts } from './call-starts';
import { SocketLogs } from './socket-log';
import { HttpWatcher } from './watch-http';
import { watchUndici } from './watch-undici';
import type { Watched } from './watched';

/** Follows the calls of all clients of the process. Gives the function that ends it. */
export function watchClients({
  origins,
  starts,
  aborts,
  faults,
}: {
  origins: Origins;
  starts: CallStarts;
  aborts: RecentAborts;
  faults: RecentFaults;
}): () => void {
  const sockets = new SocketLogs({
    onFree: (log) => http.freed(log),
    onClose: (log) => {
      http.closed(log);
      learnFromClose(log);
    },
  });
  const watched: Watched = {
    origins,
    sockets,
    starts,
    aborts,
    onFailure: faults.failed.bind(faults),
    retries: faults,
  };
  const http = new HttpWatcher(watched);
  const endUndici = watchUndici(watched);
  return () => {
    http.stop();
    endUndici();
    sockets.stop();
  };
}
