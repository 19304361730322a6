import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Http2Stream } from 'node:http2';

/**
 * How the body of a request is delimited on its way to the upstream. Where the head says one thing and the bytes another, an
 * upstream reads the rest of one client's body as the next client's request (request smuggling, RFC 9112, section 11.2).
 */

type Headers = IncomingMessage['headers'];

/** The options of a connection that concern its two ends and nobody else (RFC 9110, section 7.6.1). */
const HARMLESS_TOKENS: ReadonlySet<string> = new Set(['keep-alive', 'close', 'upgrade', 'te']);

/**
 * Makes the headers say what the body is, before http-proxy or httpxy copies them. Version 3 turns the chunks of a `DELETE`
 * and an `OPTIONS` into `Content-Length: 0`, and sends the body nevertheless; both versions do so with HTTP/2, where a body
 * needs no length.
 */
export function restoreFraming(req: IncomingMessage, headers: Headers): void {
  const length = headers['content-length'];
  const encoding = headers['transfer-encoding'];
  if (encoding !== undefined) {
    // Node takes an empty one for none, and ends the connection of a client that says anything but chunks.
    if (!endsInChunks(encoding)) delete headers['transfer-encoding'];
  } else if ((length === undefined || length === '0') && isSentInChunks(req)) {
    delete headers['content-length'];
    headers['transfer-encoding'] = 'chunked';
  }
  withholdForeignTokens(headers);
}

/** Whether a Transfer-Encoding ends in chunks, so that the message shows where its body ends (RFC 9112, section 6.1). */
export function endsInChunks(encoding: string): boolean {
  return encoding === 'chunked' || /(?:^|,)[ \t]*chunked[ \t]*$/i.test(encoding);
}

function isSentInChunks(req: IncomingMessage): boolean {
  if (req.httpVersionMajor >= 2) return hasHttp2Body(req);
  const { method, rawHeaders } = req;
  if (method !== 'DELETE' && method !== 'OPTIONS') return false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === 'transfer-encoding') return endsInChunks(rawHeaders[i + 1] ?? '');
  }
  return false;
}

function hasHttp2Body(req: IncomingMessage & { stream?: Http2Stream }): boolean {
  return req.stream?.endAfterHeaders === false && req.rawHeaders.indexOf('content-length') === -1;
}

/** What a `Connection` header says of other headers is not handed on, in neither direction. */
export function withholdForeignTokens(headers: Headers): void {
  const { connection } = headers;
  if (connection === undefined || HARMLESS_TOKENS.has(connection)) return;
  const tokens = withoutForeignTokens(connection);
  if (tokens === '') delete headers.connection;
  else headers.connection = tokens;
}

/**
 * A client's `Connection: Content-Length` asks the next hop to drop that header, and `Connection: X-Forwarded-For` the
 * one on which it relies. What is not about the connection is not handed on.
 */
function withoutForeignTokens(connection: string): string {
  const tokens = connection.split(',').map((token) => token.trim());
  return tokens.filter((token) => HARMLESS_TOKENS.has(token.toLowerCase())).join(', ');
}

/** Whether bytes of a body may come, whatever the headers have been made to say. */
export function mayHaveBody(req: IncomingMessage): boolean {
  return !req.complete || req.readableLength > 0;
}

/**
 * A connection that has carried chunks is not used again: an upstream that takes their framing for hop-by-hop would find a
 * second request behind the body. Nor is one that has carried the body of a method that has none as a rule: many an upstream
 * does not read what comes with a `GET`. The header alone leaves it to the upstream whether Node keeps the connection.
 */
export function closeAfterBody(proxyReq: ClientRequest): void {
  if (!proxyReq.hasHeader('transfer-encoding') && !hasUnusualBody(proxyReq)) return;
  proxyReq.shouldKeepAlive = false;
  if (!proxyReq.headersSent) proxyReq.setHeader('connection', 'close');
}

/**
 * Lets exactly as many bytes out as the head has announced. With more, or when it ends with fewer (a body parser has eaten
 * the body), the request is destroyed, and with it its connection.
 */
export function keepToLength(proxyReq: ClientRequest): void {
  if (Object.hasOwn(proxyReq, 'write')) return;
  const own = proxyReq as unknown as Record<'write' | 'end', (...args: unknown[]) => unknown>;
  const { write, end } = own;
  let announced: number | undefined;
  let bytes = 0;
  const fits = (args: unknown[], isLast: boolean): boolean => {
    announced ??= announcedLength(proxyReq);
    bytes += bytesOf(args[0], args[1]);
    if (bytes <= announced && (!isLast || bytes === announced || announced === Infinity)) return true;
    proxyReq.destroy(lengthMismatch(bytes, announced));
    return false;
  };
  own.write = (...args) => fits(args, false) && Reflect.apply(write, proxyReq, args);
  own.end = (...args) => (fits(args, true) ? Reflect.apply(end, proxyReq, args) : proxyReq);
}

const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

function hasUnusualBody(proxyReq: ClientRequest): boolean {
  const length = proxyReq.getHeader('content-length');
  return length !== undefined && length !== '0' && WITHOUT_BODY.has(proxyReq.method);
}

/** The announced length; `Infinity` for chunks, which delimit themselves. */
function announcedLength(proxyReq: ClientRequest): number {
  const length = proxyReq.getHeader('content-length');
  if (proxyReq.hasHeader('transfer-encoding')) {
    if (length === undefined || proxyReq.headersSent) return Infinity;
    // A handler has given the body another length, as fixRequestBody does: the two must not go out together.
    proxyReq.removeHeader('transfer-encoding');
  }
  // Without a length Node takes chunks, but not for these methods: there the bytes would follow the head bare.
  if (length === undefined) return WITHOUT_BODY.has(proxyReq.method) ? 0 : Infinity;
  return Number(length);
}

function bytesOf(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk, encoding as BufferEncoding);
  return chunk instanceof Uint8Array ? chunk.byteLength : 0;
}

function lengthMismatch(bytes: number, announced: number): Error {
  const hint =
    bytes < announced
      ? ' Has a body parser in front of the proxy read it? Then on: { proxyReq: fixRequestBody } sends it again.'
      : '';
  const message = `The request's body to the upstream has ${bytes} bytes where its head announces ${announced}.${hint}`;
  return Object.assign(new Error(message), { code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH' });
}
