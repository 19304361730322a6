import { now } from '../clock';
import type { SocketLog } from '../calls/socket-log';

/**
 * An idle socket has closed: whose timer was it? Only what is known is learned from. From Node 22 on the agent of
 * node:http hides what the peer does to an idle socket, which then looks as if the app had called `agent.destroy()`.
 */
export function learnFromClose(log: SocketLog): void {
  const { origin, isTimedOut, endedBy } = log;
  if (!origin) return;
  origin.openSockets = Math.max(0, origin.openSockets - 1);
  const at = now();
  const idleMs = log.idleMs(at);
  if (idleMs === undefined) return;
  if (isTimedOut) origin.idle.poolClosed(idleMs, at);
  else if (endedBy !== undefined) origin.closedIdle(idleMs, at);
}
