import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { privateField } from '../../private-field';
import { nodeMethods } from './response-gate';

interface Http2Response extends ServerResponse {
  stream?: { close(code: number): void };
}

/** HTTP/2's code for a stream that this side gives up (RFC 9113, section 7). */
const INTERNAL_ERROR = 2;

/** Of HTTP/2 responses, which have no `errored`. */
const causes = privateField<Error | undefined>();

/** Why this server has cut a response over HTTP/2, as `errored` says it over HTTP/1. */
export function causeOfBreak(res: object): Error | undefined {
  return causes.get(res);
}

/**
 * Cuts a response that has started, so that the client can tell a fragment from the whole. By `cause` `classifyError()`
 * knows why this server destroyed the response; on HTTP/1 the response is destroyed with it.
 */
export function breakResponse(req: IncomingMessage, res: ServerResponse, cause?: Error): void {
  if (req.httpVersionMajor >= 2) {
    causes.set(res, cause);
    (res as Http2Response).stream?.close(INTERNAL_ERROR);
  } else {
    if (isDelimitedByClose(res)) resetConnection(res);
    destroyResponse(res, cause);
  }
}

/**
 * Without a length or chunks the body ends with the connection (RFC 9112, section 6.3). Only a reset marks a
 * fragment.
 */
function isDelimitedByClose(res: ServerResponse): boolean {
  return !res.chunkedEncoding && !res.hasHeader('content-length');
}

function resetConnection(res: ServerResponse): void {
  try {
    res.socket?.resetAndDestroy();
  } catch {
    // Not a TCP socket, but a pipe or a stream of the app's own.
  }
}

/**
 * A pipelined response that waits for its turn must not cut the response before it. So the connection closes when its
 * turn comes. Node 20 and 22 do that by themselves; 24 and 26 send what was written and then hang.
 */
function destroyResponse(res: ServerResponse, cause: Error | undefined): void {
  if (res.socket === null) res.once('socket', (socket: Socket) => socket.destroy());
  // Node's own `destroy`, because late calls on the response may be discarded already.
  nodeMethods(res).destroy.call(res, cause);
}
