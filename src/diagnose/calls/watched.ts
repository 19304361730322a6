import type { OnFailure } from '../verdicts/note-failure';
import type { Origins } from '../learned/origin-log';
import type { SocketLogs } from './socket-log';

/** What the watchers of the clients share. */
export interface Watched {
  readonly origins: Origins;
  readonly sockets: SocketLogs;
  readonly onFailure: OnFailure;
}
