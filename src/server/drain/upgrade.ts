import type { Duplex } from 'node:stream';
import type { Upgrade } from '../traffic/traffic';

/**
 * Calls `listener` when the app has written its answer to an upgrade, the 101, and has returned. By then the app
 * has added the WebSocket to its own list. If the answer was written before, `listener` is never called.
 */
export function onceAccepted(socket: Duplex, { req, bytesWritten }: Upgrade, listener: () => void): void {
  if (req.socket.bytesWritten > bytesWritten) return;
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let isFirst = true;
  const writeAnswer = (...args: unknown[]): boolean => {
    if (isFirst) setImmediate(() => socket.destroyed || listener());
    isFirst = false;
    return write(...args);
  };
  socket.write = writeAnswer;
}
