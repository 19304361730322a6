import type {
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingMessage,
  ServerResponse,
} from 'node:http';
import type { ProxyRequestOptions } from '../proxy-server';

/**
 * Trailers need chunks (RFC 9112, section 7.1.2). Node throws where a message without chunks announces them
 * (ERR_HTTP_TRAILER_INVALID), from within a stream: one `GET` with a `Trailer` header takes down a process that proxies
 * it. The announcement is dropped before it is passed on.
 */
export function withholdTrailer(headers: IncomingHttpHeaders): void {
  if (headers.trailer !== undefined && headers['transfer-encoding'] === undefined) delete headers.trailer;
}

/** Not allowed in trailers: framing, routing, credentials (RFC 9110, section 6.5.1). Some servers merge trailers into the head. */
const WITHHELD: ReadonlySet<string> = new Set([
  ...['transfer-encoding', 'content-length', 'connection', 'keep-alive', 'te', 'trailer', 'upgrade', 'host'],
  ...['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'content-encoding', 'content-type'],
  ...[
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-port',
    'forwarded',
    'x-real-ip',
  ],
]);

/** Passes on the trailers of an upstream's response, which a pipe loses. If that is impossible, their announcement is removed. */
export function relayTrailers(
  proxyRes: IncomingMessage,
  req: IncomingMessage,
  res: ServerResponse,
  { selfHandleResponse }: ProxyRequestOptions,
): void {
  const isChunked = proxyRes.headers['transfer-encoding'] !== undefined && req.httpVersion === '1.1';
  // A handler that sends the response itself gives it a length, as responseInterceptor() does.
  if (!isChunked || req.method === 'HEAD' || selfHandleResponse === true) delete proxyRes.headers.trailer;
  else relay(proxyRes, res);
}

/** Passes on the trailers of a client's upload. */
export function relayRequestTrailers(req: IncomingMessage, proxyReq: ClientRequest): void {
  if (req.headers.trailer !== undefined) relay(req, proxyReq);
}

// Prepended, because the pipe ends the message in the same event.
function relay(from: IncomingMessage, to: OutgoingMessage): void {
  from.prependOnceListener('end', () => {
    const { rawTrailers } = from;
    const pairs = Array.from(
      { length: rawTrailers.length / 2 },
      (_, i) => [rawTrailers[2 * i] ?? '', rawTrailers[2 * i + 1] ?? ''] as [string, string],
    );
    const relayed = pairs.filter(([name]) => !WITHHELD.has(name.toLowerCase()));
    if (relayed.length > 0 && !to.destroyed) to.addTrailers(relayed);
  });
}
