import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { nodeMethods } from './response-gate';

interface Http2Response extends ServerResponse {
  stream?: { close(code: number): void };
}

/** HTTP/2's code for a stream that this side gives up (RFC 9113, section 7). */
const INTERNAL_ERROR = 2;

/**
 * Breaks a response that has begun, so that the client can tell a fragment from the whole. With its cause (HTTP/1),
 * `classifyError()` tells it from a response that this server has destroyed for no reason.
 */
export function breakResponse(req: IncomingMessage, res: ServerResponse, cause?: Error): void {
  if (req.httpVersionMajor >= 2) (res as Http2Response).stream?.close(INTERNAL_ERROR);
  else {
    if (isDelimitedByClose(res)) resetConnection(res);
    destroyResponse(res, cause);
  }
}

/** Such a body ends where the connection ends (RFC 9112, section 6.3): only a reset tells a fragment from the whole. */
function isDelimitedByClose(res: ServerResponse): boolean {
  return !res.chunkedEncoding && !res.hasHeader('content-length');
}

function resetConnection(res: ServerResponse): void {
  try {
    res.socket?.resetAndDestroy();
  } catch {
    // Not a TCP socket: a pipe, or a stream of the user's own.
  }
}

/**
 * A response that waits for its turn in a pipeline must not cut the one before it; when its turn comes, the connection
 * closes. Node 20 and 22 do that by themselves, 24 and 26 send what was written and then hang.
 */
function destroyResponse(res: ServerResponse, cause: Error | undefined): void {
  if (res.socket === null) res.once('socket', (socket: Socket) => socket.destroy());
  // Node's own: the response may already have no ear for what is called on it.
  nodeMethods(res).destroy.call(res, cause);
}
