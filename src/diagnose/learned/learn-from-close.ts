import { now } from '../clock';
import type { SocketLog } from '../calls/socket-log';

/**
 * Learns from the close of an idle socket which side's timer closed it, if that is known. From Node 22 on, the agent of
 * node:http hides that the peer closed an idle socket. It looks as if the app had called `agent.destroy()`.
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
