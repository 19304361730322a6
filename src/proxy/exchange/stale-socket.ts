import type { ClientRequest } from 'node:http';
import { channels } from '../../events';
import type { ProxyExchange } from './exchange';
import { failByUser } from './failure';
import { originOf } from '../wire/upstream-facts';

/** The error codes of a dead keep-alive connection. */
const DEAD: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Detects the stale-socket race: an upstream closes an idle connection just when it is used again. For a request on a reused
 * connection, this returns the check whether an error is due to that: no byte of an answer has come before it.
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
export function replay(exchange: ProxyExchange, error: NodeJS.ErrnoException): void {
  sendAgain(exchange, error, { ...exchange.options, agent: false });
}

/** Starts the next attempt. */
export function sendAgain(exchange: ProxyExchange, error: NodeJS.ErrnoException, options: object): void {
  const { req, res, context } = exchange;
  exchange.attempt += 1;
  exchange.proxyReq = undefined;
  // With an `Expect` header, http-proxy and httpxy would not emit `proxyReq`.
  if (exchange.expectation !== undefined) delete req.headers.expect;
  try {
    // The forwarding headers were set by the first attempt. Version 3 would append to them.
    const done = context.server.web(req, res, { ...options, xfwd: false });
    publishRetry(exchange, error);
    // httpxy's promise follows the response; its errors are reported as events as well.
    Promise.resolve(done).catch(() => undefined);
  } catch (thrown) {
    failByUser(exchange, thrown);
  }
}

function publishRetry({ req, target, attempt }: ProxyExchange, error: NodeJS.ErrnoException): void {
  if (!channels.retry.hasSubscribers) return;
  const cause = error.code ?? error.message;
  channels.retry.publish({
    origin: originOf(target ?? {}),
    method: req.method ?? '',
    attempt,
    delayMs: 0,
    cause,
  });
}
