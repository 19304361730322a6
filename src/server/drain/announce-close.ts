import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { wrapHead } from '../../request/response/response-gate';

type Headers = OutgoingHttpHeaders | unknown[] | undefined;

/**
 * Makes an HTTP/1 response tell the client that its connection ends with it, `Connection: close` (RFC 9112, section 9.6),
 * whatever the handler says: streams of server-sent events are full of `Connection: keep-alive`. Decided when the headers
 * are written: an earlier one of several pipelined responses must not end the connection (`isLast`).
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
