import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GatewayFault } from './fault';
import { representationOf } from './problem';

/** The headers of a body that will not be sent (RFC 9110, section 8; RFC 9111). Cookies are not among them. */
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

/**
 * Also true of headers that tell a front end about the body (`X-Accel-*`, `X-Sendfile`), and of any
 * `*-Cache-Control`.
 */
function isOfRepresentation(name: string): boolean {
  return REPRESENTATION_HEADERS.has(name) || /^x-accel-|^x-(lighttpd-)?send-?file|-cache-control$/.test(name);
}

/** How long a client is asked to wait after a 503, in seconds: another instance takes over at once. */
const RETRY_AFTER_S = 1;

/**
 * Prepares a response for the answer to a fault: sets the status, removes the failed body's headers, forbids
 * caching.
 */
export function prepareAnswer(fault: GatewayFault, req: IncomingMessage, res: ServerResponse): void {
  // Only headers that are set are removed: after removeHeader('transfer-encoding') Node sends no chunked body.
  for (const name of res.getHeaderNames()) if (isOfRepresentation(name)) res.removeHeader(name);
  res.statusCode = fault.status;
  res.setHeader('Cache-Control', 'no-store');
  if (fault.status === 503) res.setHeader('Retry-After', String(RETRY_AFTER_S));
  // HTTP/2 has neither a status message nor `Connection`, and an unread body does not disturb its other streams.
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
