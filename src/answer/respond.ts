import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GatewayFault } from './fault';
import { representationOf } from './problem';

/** What a handler may have set for a body that now will not come (RFC 9110, section 8; RFC 9111). Cookies are not among it. */
const REPRESENTATION_HEADERS: ReadonlySet<string> = new Set([
  ...[
    'content-type',
    'content-length',
    'content-encoding',
    'content-language',
    'content-location',
    'content-range',
  ],
  ...[
    'content-disposition',
    'content-md5',
    'content-digest',
    'repr-digest',
    'etag',
    'last-modified',
    'accept-ranges',
  ],
  ...[
    'cache-control',
    'cdn-cache-control',
    'surrogate-control',
    'expires',
    'pragma',
    'age',
    'transfer-encoding',
  ],
  ...['trailer', 'location', 'refresh', 'retry-after'],
]);

/** The list above, what a front end is told of the body (`X-Accel-*`, `X-Sendfile`), and any cache's `*-Cache-Control`. */
function isOfRepresentation(name: string): boolean {
  return REPRESENTATION_HEADERS.has(name) || /^x-accel-|^x-(lighttpd-)?send-?file|-cache-control$/.test(name);
}

/** How long a client is asked to wait after a 503, in seconds: another instance takes over at once. */
const RETRY_AFTER_S = 1;

/** Makes a response ready for the answer to a fault: its status, nothing left of the failed body, not to be cached. */
export function prepareAnswer(fault: GatewayFault, req: IncomingMessage, res: ServerResponse): void {
  // Removed only where it stands: Node remembers that `Transfer-Encoding` was removed, and then sends no chunks.
  for (const name of res.getHeaderNames()) if (isOfRepresentation(name)) res.removeHeader(name);
  res.statusCode = fault.status;
  res.setHeader('Cache-Control', 'no-store');
  if (fault.status === 503) res.setHeader('Retry-After', String(RETRY_AFTER_S));
  // HTTP/2 knows neither a status message nor this header, and its streams do not share their framing.
  if (req.httpVersionMajor >= 2) return;
  res.statusMessage = '';
  if (hasUnreadBody(req)) res.setHeader('Connection', 'close');
}

/** Sends the answer to a fault. */
export function sendAnswer(fault: GatewayFault, req: IncomingMessage, res: ServerResponse): void {
  const { contentType, body } = representationOf(fault, req);
  res.setHeader('Content-Type', contentType);
  res.setHeader('Content-Length', Buffer.byteLength(body));
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.end(req.method === 'HEAD' ? undefined : body);
}

function hasUnreadBody(req: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = req.headers;
  const hasBody = encoding !== undefined || (length !== undefined && Number(length) !== 0);
  return hasBody && !req.readableEnded;
}
