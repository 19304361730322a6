import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { channels } from '../events';
import type { ProxyRequestOptions, ProxyServer } from './proxy-server';

/** How a dead keep-alive connection shows itself. */
const DEAD: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

/**
 * The stale-socket race: an upstream closes an idle connection in the moment in which it is used again. Gives, for a request
 * on a reused connection, the check whether an error is that: it came before a byte of an answer.
 */
export function staleCheck(proxyReq: ClientRequest): ((error: NodeJS.ErrnoException) => boolean) | undefined {
  const { socket, reusedSocket } = proxyReq;
  if (!reusedSocket || !socket) return undefined;
  const { bytesRead } = socket;
  return ({ code }) => DEAD.has(code) && socket.bytesRead === bytesRead;
}

/**
 * Sends a request for the second time, on a connection of its own: a new one cannot be stale. A proxy may repeat a safe
 * request by itself (RFC 9112, section 9.3.1).
 */
export function sendAgain(again: {
  server: ProxyServer;
  req: IncomingMessage;
  res: ServerResponse;
  options: ProxyRequestOptions;
  origin: string;
  error: NodeJS.ErrnoException;
}): void {
  const { server, req, res, options, origin, error } = again;
  if (channels.retry.hasSubscribers) {
    const cause = error.code ?? error.message;
    channels.retry.publish({ origin, method: req.method ?? '', attempt: 2, delayMs: 0, cause });
  }
  // The forwarding headers are in place from the first time; version 3 would add to them.
  const done = server.web(req, res, { ...options, agent: false, xfwd: false });
  // httpxy's promise follows the response; its errors are reported as events as well.
  Promise.resolve(done).catch(() => undefined);
}
