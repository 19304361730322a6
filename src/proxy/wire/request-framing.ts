import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Http2Stream } from 'node:http2';

/**
 * How the body of a request is delimited on its way to the upstream. If the head and the bytes disagree, an upstream reads
 * the rest of one client's body as the next client's request (request smuggling, RFC 9112, section 11.2).
 */

type Headers = IncomingMessage['headers'];

/** The `Connection` options that are about the connection itself and remove no end-to-end header (RFC 9110, section 7.6.1). */
const HARMLESS_TOKENS: ReadonlySet<string> = new Set(['keep-alive', 'close', 'upgrade', 'te']);

/**
 * Makes the headers agree with the body before http-proxy or httpxy copies them. For a chunked `DELETE` or `OPTIONS`,
 * version 3 sends `Content-Length: 0` and then the body nevertheless. Both versions do so with HTTP/2, where a body needs no
 * length.
 */
export function restoreFraming(req: IncomingMessage, headers: Headers): void {
  const length = headers['content-length'];
  const encoding = headers['transfer-encoding'];
  if (encoding !== undefined) {
    // Node treats an empty Transfer-Encoding as none, and closes the connection of a client that sends any other than chunks.
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

/** Removes the names of other headers from a `Connection` header. They are passed on in neither direction. */
export function withholdForeignTokens(headers: Headers): void {
  const { connection } = headers;
  if (connection === undefined || HARMLESS_TOKENS.has(connection)) return;
  const tokens = withoutForeignTokens(connection);
  if (tokens === '') delete headers.connection;
  else headers.connection = tokens;
}

/**
 * Keeps only the tokens that are about the connection. A client's `Connection: Content-Length` would ask the upstream to drop
 * that header, and `Connection: X-Forwarded-For` to drop one on which the upstream relies.
 */
function withoutForeignTokens(connection: string): string {
  const tokens = connection.split(',').map((token) => token.trim());
  return tokens.filter((token) => HARMLESS_TOKENS.has(token.toLowerCase())).join(', ');
}

/** Whether bytes of a body may still come, whatever the headers say by now. */
export function mayHaveBody(req: IncomingMessage): boolean {
  return !req.complete || req.readableLength > 0;
}

/**
 * Closes a connection after it has carried chunks: an upstream that drops their framing as hop-by-hop would find a second
 * request behind the body. The same goes for the body of a method that usually has none: many upstreams do not read the body
 * of a `GET`. `shouldKeepAlive` is needed too: with the header alone, the upstream's answer decides.
 */
export function closeAfterBody(proxyReq: ClientRequest): void {
  if (!proxyReq.hasHeader('transfer-encoding') && !hasUnusualBody(proxyReq)) return;
  proxyReq.shouldKeepAlive = false;
  if (!proxyReq.headersSent) proxyReq.setHeader('connection', 'close');
}

/**
 * Sends exactly as many bytes as the head has announced. If there are more, or the body ends with fewer (a body parser has
 * read it), the request and its connection are destroyed.
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
  const writeWhatFits = (...args: unknown[]): unknown =>
    fits(args, false) && Reflect.apply(write, proxyReq, args);
  const endWhatFits = (...args: unknown[]): unknown =>
    fits(args, true) ? Reflect.apply(end, proxyReq, args) : proxyReq;
  own.write = writeWhatFits;
  own.end = endWhatFits;
}

const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

function hasUnusualBody(proxyReq: ClientRequest): boolean {
  const length = proxyReq.getHeader('content-length');
  return length !== undefined && length !== '0' && WITHOUT_BODY.has(proxyReq.method);
}

/** The announced length; `Infinity` for chunks, which need none. */
function announcedLength(proxyReq: ClientRequest): number {
  const length = proxyReq.getHeader('content-length');
  if (proxyReq.hasHeader('transfer-encoding')) {
    if (length === undefined || proxyReq.headersSent) return Infinity;
    // A handler has set a length, as fixRequestBody does. It must not be sent together with Transfer-Encoding.
    proxyReq.removeHeader('transfer-encoding');
  }
  // Without a length Node sends chunks. But for these methods it would send the bytes without any framing.
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
