/** The first part of an HTTP/1 message. */
export interface MessageHead {
  /** `GET /users HTTP/1.1` or `HTTP/1.1 200 OK`. */
  startLine: string;
  /** Names in lower case; the values of a repeated header are joined with a comma (RFC 9110, 5.3). */
  headers: Record<string, string>;
}

/** The callbacks of a reader. All of them are called synchronously while bytes are pushed. */
export interface MessageEvents {
  /** The headers are complete. Returns how the body is framed, as far as the start line decides that. */
  head(head: MessageHead): 'no-body' | 'interim' | 'by-headers';
  body(bytes: Buffer): void;
  trailers(trailers: Record<string, string>): void;
  end(): void;
  /** The next bytes are not HTTP; nothing more is reported. */
  malformed(why: string): void;
}

type State =
  'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'malformed';

const LONGEST_HEAD = 1 << 20;

/**
 * Reads one HTTP/1 message after another from the bytes of a connection, in pieces of any size (RFC 9112). It is made for
 * tests: it tells exactly which bytes have come and whether a message is complete. A client library would only give an error.
 */
export class Http1Reader {
  #state: State = 'head';
  #pending: Buffer = Buffer.alloc(0);
  #left = 0;
  readonly #events: MessageEvents;
  readonly #bodyWithoutLength: 'until-close' | 'none';

  /** @param of a response without a length ends when the connection closes; a request without one has no body. */
  constructor(of: 'request' | 'response', events: MessageEvents) {
    this.#events = events;
    this.#bodyWithoutLength = of === 'response' ? 'until-close' : 'none';
  }

  /** How many bytes have come that belong to no message which was reported: in `end()`, those of the next message. */
  get rest(): number {
    return this.#pending.length;
  }

  /** Takes the next bytes of the connection. */
  push(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (this.#pending.length > 0 && this.#step());
  }

  /** The connection has ended properly. This completes a response that has no length. */
  close(): void {
    if (this.#state === 'until-close') this.#finish();
  }

  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#readHead();
      case 'length':
      case 'chunk-data':
      case 'until-close':
        return this.#readBody();
      case 'chunk-size':
        return this.#readChunkSize();
      case 'chunk-end':
        return this.#readChunkEnd();
      case 'trailers':
        return this.#readTrailers();
      case 'malformed':
        this.#pending = Buffer.alloc(0);
        return false;
    }
  }

  #readHead(): boolean {
    // RFC 9112, 2.2: a server ignores an empty line before the request line.
    if (this.#bodyWithoutLength === 'none' && this.#pending.indexOf('\r\n') === 0) {
      this.#take(2);
      return true;
    }
    const end = this.#pending.indexOf('\r\n\r\n');
    if (end < 0) {
      return this.#pending.length > LONGEST_HEAD || !looksLikeHttp(this.#pending, this.#bodyWithoutLength)
        ? this.#fail('this is not the head of an HTTP/1 message')
        : false;
    }
    const [startLine = '', ...lines] = this.#take(end + 4)
      .toString('latin1', 0, end)
      .split('\r\n');
    const headers = headersOf(lines);
    if (!looksLikeHttp(Buffer.from(startLine, 'latin1'), this.#bodyWithoutLength) || headers === undefined) {
      return this.#fail('this is not the head of an HTTP/1 message');
    }
    return this.#frame({ startLine, headers });
  }

  #frame(head: MessageHead): boolean {
    const framing = this.#events.head(head);
    if (framing === 'interim') return true;
    const length = head.headers['content-length'];
    if (framing === 'no-body') this.#finish();
    else if (head.headers['transfer-encoding'] !== undefined) this.#state = 'chunk-size';
    else if (length !== undefined) return this.#frameByLength(length);
    else if (this.#bodyWithoutLength === 'none') this.#finish();
    else this.#state = 'until-close';
    return true;
  }

  #frameByLength(length: string): boolean {
    if (!/^\d+$/.test(length)) return this.#fail(`Content-Length is "${length}"`);
    this.#left = Number(length);
    if (this.#left === 0) this.#finish();
    else this.#state = 'length';
    return true;
  }

  #readBody(): boolean {
    const open = this.#state === 'until-close';
    const bytes = this.#take(open ? this.#pending.length : Math.min(this.#left, this.#pending.length));
    this.#events.body(bytes);
    if (open) return true;
    this.#left -= bytes.length;
    if (this.#left > 0) return true;
    if (this.#state === 'chunk-data') this.#state = 'chunk-end';
    else this.#finish();
    return true;
  }

  #readChunkSize(): boolean {
    const line = this.#takeLine();
    if (line === undefined) return false;
    const size = /^([0-9a-f]{1,12})[ \t]*(;.*)?$/i.exec(line)?.[1];
    if (size === undefined) return this.#fail(`a chunk's size is "${line.slice(0, 20)}"`);
    this.#left = parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'chunk-data';
    return true;
  }

  #readChunkEnd(): boolean {
    if (this.#pending.length < 2) return false;
    if (this.#take(2).toString('latin1') !== '\r\n') return this.#fail('a chunk is longer than its size');
    this.#state = 'chunk-size';
    return true;
  }

  #readTrailers(): boolean {
    if (this.#pending.indexOf('\r\n') === 0) {
      this.#take(2);
      this.#finish();
      return true;
    }
    const end = this.#pending.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const trailers = headersOf(
      this.#take(end + 4)
        .toString('latin1', 0, end)
        .split('\r\n'),
    );
    if (trailers === undefined) return this.#fail('the trailers are not headers');
    this.#events.trailers(trailers);
    this.#finish();
    return true;
  }

  #finish(): void {
    this.#state = 'head';
    this.#events.end();
  }

  #fail(why: string): boolean {
    this.#state = 'malformed';
    this.#events.malformed(why);
    return true;
  }

  #take(count: number): Buffer {
    const taken = this.#pending.subarray(0, count);
    this.#pending = this.#pending.subarray(count);
    return taken;
  }

  #takeLine(): string | undefined {
    const end = this.#pending.indexOf('\r\n');
    return end < 0 ? undefined : this.#take(end + 2).toString('latin1', 0, end);
  }
}

// Called before the head is complete, so that bytes which can never become HTTP are reported at once as malformed.
function looksLikeHttp(bytes: Buffer, side: 'until-close' | 'none'): boolean {
  const line = bytes.toString('latin1', 0, 64);
  if (side === 'none') return /^[!#$%&'*+.^_`|~\w-]{1,64}( |$)/.test(line);
  return 'HTTP/1.'.startsWith(line.slice(0, 7)) && (line.length < 12 || /^HTTP\/1\.[01] \d{3}/.test(line));
}

function headersOf(lines: string[]): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) return undefined;
    const name = match[1].toLowerCase();
    headers[name] = headers[name] === undefined ? match[2] : `${headers[name]}, ${match[2]}`;
  }
  return headers;
}
