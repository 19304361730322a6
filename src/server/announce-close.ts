import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

type Headers = OutgoingHttpHeaders | unknown[] | undefined;

/**
 * Makes an HTTP/1 response tell the client that its connection ends with it, `Connection: close` (RFC 9112, section 9.6),
 * whatever the handler says: streams of server-sent events are full of `Connection: keep-alive`. Decided when the headers
 * are written: an earlier one of several pipelined responses must not end the connection (`isLast`).
 */
export function announceClose(res: ServerResponse, isLast: () => boolean): void {
  if (res.headersSent) return;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with `res` below
  const writeHead = res.writeHead as (...args: unknown[]) => ServerResponse;
  // Every way to send headers ends here: `end()`, `write()` and `flushHeaders()` call it on the response.
  res.writeHead = function writeHeadAndClose(this: ServerResponse, status: number, ...rest: unknown[]) {
    if (!isLast()) return Reflect.apply(writeHead, this, [status, ...rest]);
    this.shouldKeepAlive = false;
    this.removeHeader('Keep-Alive');
    const reason = typeof rest[0] === 'string' ? rest[0] : undefined;
    const headers = withClose(rest.find((arg) => typeof arg === 'object' && arg !== null) as Headers);
    return Reflect.apply(
      writeHead,
      this,
      reason === undefined ? [status, headers] : [status, reason, headers],
    );
  };
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
