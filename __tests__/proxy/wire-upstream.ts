import type { Socket } from 'node:net';
import { rawUpstream } from './raw-upstream';

/** How an upstream finds the end of a request's body: what it goes by where a head says more than one thing. */
export type Reading =
  | 'chunks first'
  | 'length first'
  | 'without what Connection names'
  | 'answers at the head'
  | 'no bodies of methods that need none';

/** A request as the upstream has read it from the wire. */
export interface ReadRequest {
  readonly connection: number;
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An upstream that reads the bytes by its own rules, not by Node's, and answers every request that it finds in them. */
export interface WireUpstream {
  readonly url: string;
  readonly requests: ReadRequest[];
  /** What has come, by connection. */
  readonly bytes: string[];
}

/**
 * Starts an upstream that never closes a connection by itself, whatever the request says: the proxy must know when to. Each
 * answer tells which request it is for.
 */
export async function wireUpstream(reading: Reading): Promise<WireUpstream> {
  const requests: ReadRequest[] = [];
  const bytes: string[] = [];
  const url = await rawUpstream((socket) => {
    const connection = bytes.push('') - 1;
    serveConnection(socket, connection);
  });
  return { url, requests, bytes };

  function serveConnection(socket: Socket, connection: number): void {
    let rest = '';
    let toSkip = 0;
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      bytes[connection] = (bytes[connection] ?? '') + chunk;
      rest += chunk;
      for (;;) {
        const skipped = Math.min(toSkip, rest.length);
        rest = rest.slice(skipped);
        toSkip -= skipped;
        const found = toSkip === 0 ? readRequest(rest, reading) : undefined;
        if (found === undefined) return;
        rest = rest.slice(found.bytes);
        toSkip = found.toCome;
        requests.push({ connection, ...found.request });
        answer(socket, found.request.line);
      }
    });
  }
}

function answer(socket: Socket, line: string): void {
  const body = line.startsWith('HEAD ') ? '' : line;
  const tag = encodeURIComponent(line);
  socket.write(
    `HTTP/1.1 200 OK\r\nX-Line: ${tag}\r\nConnection: keep-alive\r\nContent-Length: ${line.length}\r\n\r\n${body}`,
  );
}

interface Found {
  request: Omit<ReadRequest, 'connection'>;
  bytes: number;
  /** Bytes of the body that are swallowed when they come. */
  toCome: number;
}

function readRequest(text: string, reading: Reading): Found | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...fields] = text.slice(0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const field of fields) {
    const colon = field.indexOf(':');
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim();
  }
  const at = end + 4;
  if (reading === 'no bodies of methods that need none' && /^(?:GET|HEAD|DELETE|OPTIONS) /.test(line)) {
    return { request: { line, headers, body: '' }, bytes: at, toCome: 0 };
  }
  const used = reading === 'without what Connection names' ? withoutNamed(headers) : headers;
  const length = Number(used['content-length'] ?? 0);
  if (reading === 'answers at the head' && used['transfer-encoding'] === undefined) {
    return { request: { line, headers, body: '' }, bytes: at, toCome: length };
  }
  const isChunked = used['transfer-encoding'] !== undefined;
  const byLength = reading === 'length first' && used['content-length'] !== undefined;
  const body = isChunked && !byLength ? readChunks(text.slice(at)) : readLength(text.slice(at), length);
  return body && { request: { line, headers, body: body.text }, bytes: at + body.bytes, toCome: 0 };
}

function withoutNamed(headers: Record<string, string>): Record<string, string | undefined> {
  const named = (headers['connection'] ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !named.includes(name)));
}

function readLength(text: string, length: number): { text: string; bytes: number } | undefined {
  return text.length < length ? undefined : { text: text.slice(0, length), bytes: length };
}

function readChunks(text: string): { text: string; bytes: number } | undefined {
  let body = '';
  for (let at = 0; ;) {
    const line = text.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(text.slice(at, line), 16);
    if (size === 0) {
      const end = text.indexOf('\r\n\r\n', line);
      return end < 0 ? undefined : { text: body, bytes: end + 4 };
    }
    if (text.length < line + 2 + size + 2) return undefined;
    body += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}
