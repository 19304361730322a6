import type {
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingMessage,
  ServerResponse,
} from 'node:http';
import type { ProxyRequestOptions } from './proxy-server';

/**
 * Trailers need chunks (RFC 9112, section 7.1.2). Node throws where a message without chunks announces them
 * (ERR_HTTP_TRAILER_INVALID), from within a stream: one `GET` with a `Trailer` header takes down a process that proxies
 * it. The announcement is dropped before it is passed on.
 */
export function withholdTrailer(headers: IncomingHttpHeaders): void {
  if (headers.trailer !== undefined && headers['transfer-encoding'] === undefined) delete headers.trailer;
}

/** Passes on the trailers of an upstream's response, which a pipe loses; or the announcement is withheld. */
export function relayTrailers(
  proxyRes: IncomingMessage,
  req: IncomingMessage,
  res: ServerResponse,
  { selfHandleResponse }: ProxyRequestOptions,
): void {
  const isChunked = proxyRes.headers['transfer-encoding'] !== undefined && req.httpVersion === '1.1';
  if (!isChunked || req.method === 'HEAD') delete proxyRes.headers.trailer;
  else if (selfHandleResponse !== true) relay(proxyRes, res);
}

/** Passes on the trailers of a client's upload. */
export function relayRequestTrailers(req: IncomingMessage, proxyReq: ClientRequest): void {
  if (req.headers.trailer !== undefined) relay(req, proxyReq);
}

// Prepended: the pipe that is there, or will be, ends the message in the same event.
function relay(from: IncomingMessage, to: OutgoingMessage): void {
  from.prependOnceListener('end', () => {
    const { rawTrailers } = from;
    const pairs = Array.from(
      { length: rawTrailers.length / 2 },
      (_, i) => [rawTrailers[2 * i] ?? '', rawTrailers[2 * i + 1] ?? ''] as [string, string],
    );
    if (pairs.length > 0 && !to.destroyed) to.addTrailers(pairs);
  });
}
