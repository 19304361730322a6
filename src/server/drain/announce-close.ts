import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { wrapHead } from '../../request/response/response-gate';

type Headers = OutgoingHttpHeaders | unknown[] | undefined;

/**
 * Gives an HTTP/1 response the header `Connection: close` (RFC 9112, section 9.6), so that the client closes the
 * connection after it. It replaces a header of the handler: many handlers of server-sent events set `Connection:
 * keep-alive`. It is decided when the headers are written: of several pipelined responses only the last may end the
 * connection (`isLast`).
 */
export function announceClose(res: ServerResponse, isLast: () => boolean): void {
  if (res.headersSent) return;
  wrapHead(res, (writeHead, args) => {
    if (!isLast()) return writeHead(...args);
    const [status, ...rest] = args;
    res.shouldKeepAlive = false;
    res.removeHeader('Keep-Alive');
    const reason = typeof rest[0] === 'string' ? [rest[0]] : [];
    const headers = withClose(rest.find((arg) => typeof arg === 'object' && arg !== null) as Headers);
    return writeHead(status, ...reason, headers);
  });
}

// Node takes an object, a flat array of names and values, or an array of pairs.
function withClose(headers: Headers): OutgoingHttpHeaders | unknown[] {
  if (!Array.isArray(headers)) {
    const kept = Object.entries(headers ?? {}).filter(([name]) => !isHopHeader(name));
    return { ...Object.fromEntries(kept), Connection: 'close' };
  }
  if (Array.isArray(headers[0])) {
    return [...(headers as unknown[][]).filter(([name]) => !isHopHeader(name)), ['Connection', 'close']];
  }
  const kept = headers.filter((_, index) => !isHopHeader(headers[index - (index % 2)]));
  return [...kept, 'Connection', 'close'];
}

function isHopHeader(name: unknown): boolean {
  return typeof name === 'string' && /^(connection|keep-alive)$/i.test(name);
}
