import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { classifyError } from '../../answer/classify/classify-error';
import type { ProxyExchange } from './exchange';
import { hasBody } from '../wire/replayable';
import { mayHaveBody } from '../wire/request-framing';
import { sendAgain } from './stale-socket';

interface Connecting extends Socket {
  encrypted?: boolean;
  secureConnecting?: boolean;
}

/** The idempotent methods (RFC 9110, section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string | undefined> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
]);

/**
 * Holds the body of an upload back until the connection to the first upstream is made. Bytes that have left, or that wait
 * in a failed request, cannot be sent to another upstream.
 */
export function holdBody(exchange: ProxyExchange, proxyReq: ClientRequest): void {
  const { req, context, options } = exchange;
  if (context.fallback === undefined || exchange.attempt > 1) return;
  exchange.spare = options;
  if (!hasBody(req) && !mayHaveBody(req)) return;
  // A body parser has read the body, so a handler writes it (fixRequestBody). It can do so again.
  const isWritten = req.readableEnded;
  const hasBegun = !isWritten && (options.buffer !== undefined || proxyReq.headersSent);
  const socket = proxyReq.socket as Connecting;
  const isConnecting = socket.connecting || socket.secureConnecting === true;
  exchange.isBodyHere = isConnecting && !hasBegun && IDEMPOTENT.has(req.method);
  if (!exchange.isBodyHere) return;
  if (!isWritten) {
    req.unpipe(proxyReq);
    // Version 4 begins to pipe after this event.
    process.nextTick(() => req.unpipe(proxyReq));
  }
  socket.once(socket.encrypted === true ? 'secureConnect' : 'connect', () => {
    exchange.isBodyHere = false;
    if (!isWritten && !proxyReq.destroyed) req.pipe(proxyReq);
  });
}

/** Whether the request may go to the fallback: it is idempotent, no byte of its body has left, and the upstream is to blame. */
export function isWorthFallingBack({ req, spare, isBodyHere }: ProxyExchange, error: unknown): boolean {
  if (spare === undefined || !isBodyHere || !IDEMPOTENT.has(req.method)) return false;
  return classifyError(error, req)?.code.startsWith('UPSTREAM_') === true;
}

/** Sends the request to the fallback, after the first upstream has failed. */
export function fallBack(exchange: ProxyExchange, error: NodeJS.ErrnoException): void {
  const { spare, context } = exchange;
  exchange.spare = undefined;
  sendAgain(exchange, error, { ...spare, target: context.fallback });
}
