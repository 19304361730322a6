import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Destroys a response. One that waits for its turn in a pipeline must not cut the one before it; when its turn comes, the
 * connection closes. Node 20 and 22 do that by themselves, 24 and 26 send what was written and then hang.
 */
export function destroyResponse(res: ServerResponse, cause?: Error): void {
  if (res.socket === null) res.once('socket', (socket: Socket) => socket.destroy());
  res.destroy(cause);
}
