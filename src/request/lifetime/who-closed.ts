import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ClientClosedRequestError, ResponseDestroyedError, type HangupError } from '../../errors';

interface Http2Request extends IncomingMessage {
  stream?: { rstCode?: number; destroyed?: boolean; closed?: boolean };
}

/** Whether a request came over HTTP/2 (through Node's compatibility API). */
export function isHttp2(req: IncomingMessage): boolean {
  return req.httpVersionMajor === 2;
}

/**
 * The connection of a request over HTTP/1. `req.socket` is missing after a failed `pipeline(req, …)`. `res.socket` is
 * missing before a pipelined response's turn and after its end.
 */
export function connectionOf(
  req: { socket: Socket | null | undefined },
  res: ServerResponse,
): Socket | undefined {
  const socket = req.socket ?? res.socket ?? undefined;
  // Serverless adapters and mocks have an object that is no socket. It cannot tell that a client leaves.
  return typeof socket?.prependOnceListener === 'function' ? socket : undefined;
}

/** Whether the connection, or the HTTP/2 stream, is gone already. Then no event will report it any more. */
export function isAlreadyGone(
  req: IncomingMessage,
  res: ServerResponse,
  socket = isHttp2(req) ? undefined : connectionOf(req, res),
): boolean {
  // A response that has closed is destroyed too.
  if (socket !== undefined) return socket.destroyed || res.destroyed;
  if (isHttp2(req)) {
    const stream = (req as Http2Request).stream;
    return stream === undefined || stream.destroyed === true || stream.closed === true;
  }
  return res.destroyed;
}

/**
 * Tells a client that has left from a response that this process has destroyed itself. Read when the connection closes.
 *
 * HTTP/1: a peer's FIN ends the readable side. A peer's RST leaves an error on the socket that is not the request's or
 * the response's own. A local destroy leaves neither (the same on Node 20 to 26, with and without TLS).
 */
export function whoClosed(
  req: IncomingMessage,
  res: ServerResponse,
  socket = connectionOf(req, res),
): HangupError {
  const byPeer = isHttp2(req) ? wasCancelled(req) : wasClosedByPeer(socket, req, res);
  return byPeer ? new ClientClosedRequestError() : new ResponseDestroyedError();
}

function wasClosedByPeer(socket: Socket | undefined, req: IncomingMessage, res: ServerResponse): boolean {
  if (socket === undefined) return false;
  const { errored, readableEnded } = socket;
  return readableEnded || (errored !== null && errored !== res.errored && errored !== req.errored);
}

/**
 * HTTP/2: Node does not say which side has closed a stream, but the error code shows it. A local destroy leaves
 * NO_ERROR. A server that gives a stream up sends INTERNAL_ERROR. A client that leaves, or a lost connection,
 * leaves CANCEL or another code (RFC 9113, section 7).
 */
const CODES_OF_THIS_SIDE = [0, 2];

function wasCancelled(req: IncomingMessage): boolean {
  const { stream } = req as Http2Request;
  return !CODES_OF_THIS_SIDE.includes(stream?.rstCode ?? -1);
}
