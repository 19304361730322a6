import type { OriginLog, Origins } from '../learned/origin-log';
import type { RecentAborts } from '../verdicts/recent-aborts';
import type { OnFailure } from '../verdicts/note-failure';
import type { CallStarts } from './call-starts';
import type { SocketLogs } from './socket-log';
import type { CallStart, CallTarget } from './upstream-call';

/** A call whose answer has begun. */
export interface AnsweredCall {
  readonly origin: OriginLog;
  readonly target: CallTarget;
  readonly start: CallStart | undefined;
}

/** What the watchers of the clients share. */
export interface Watched {
  readonly origins: Origins;
  readonly sockets: SocketLogs;
  readonly starts: CallStarts;
  readonly aborts: RecentAborts;
  readonly onFailure: OnFailure;
  /** Told of answers below 500, and only while a failed call waits for somebody to send it again. */
  readonly retries: { readonly isWaiting: boolean; saved: (call: AnsweredCall) => void };
}
