import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { UpstreamExchange } from './upstream-exchange';
import type { ChosenFault } from './fault-choice';
import { FAULTS } from './faults';
import { Http1Reader, type MessageHead } from '../http1-reader';
import { Pauses } from '../pauses';
import type { Attempt, SocketRecord, UpstreamLog } from './upstream-log';

/** The parts of the upstream that a connection needs. */
export interface UpstreamParts {
  log: UpstreamLog;
  /** Chooses the fault. Throws a TypeError where there is no such fault. */
  faultFor: (attempt: Attempt) => ChosenFault;
}

/** How a connection begins whose client takes it for granted that the server speaks HTTP/2 (RFC 9113, 3.4). */
const HTTP2_PREFACE = 'PRI * HTTP/2.0';

/** What is said to it. */
export const SPEAKS_HTTP2 =
  "The client speaks HTTP/2 and this upstream HTTP/1: start it with faultyUpstream({ protocol: 'http2' }).";

/** Serves one HTTP/1.1 connection. It writes the bytes itself, so that it can break every rule of HTTP. */
export class Http1Connection {
  readonly record: SocketRecord;
  readonly #pauses = new Pauses();
  readonly #queue: Http1Exchange[] = [];
  readonly #socket: Socket;
  readonly #tcp: Socket;
  readonly #parts: UpstreamParts;
  readonly #reader: Http1Reader;
  #reading: Http1Exchange | undefined;
  #cutUponNextRequest: 'fin' | 'rst' | undefined;
  #cutNow = false;

  /** @param tcp the connection below TLS; without TLS the same as `socket`. */
  constructor(socket: Socket, tcp: Socket, record: SocketRecord, parts: UpstreamParts) {
    this.#socket = socket;
    this.#tcp = tcp;
    this.record = record;
    this.#parts = parts;
    this.#reader = new Http1Reader('request', {
      head: (head) => this.#begin(head),
      body: (bytes) => {
        if (this.#reading) parts.log.received(this.#reading.attempt, bytes);
      },
      trailers: () => undefined,
      end: () => this.#complete(),
      malformed: (why) => this.complain(400, why),
    });
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
  }

  /** The connection is gone: cancels what was still planned. */
  stop(): void {
    this.#pauses.stop();
  }

  #receive(bytes: Buffer): void {
    this.record.bytesReceived += bytes.length;
    const awaited = this.#cutUponNextRequest;
    this.#reader.push(bytes);
    if (awaited ?? this.#cutNow) this.cut(this.#cutUponNextRequest ?? 'fin');
  }

  #begin({ startLine, headers }: MessageHead): 'by-headers' {
    // RFC 9112, 9.6: a server that closes the connection ignores what comes after that in the same bytes.
    if (this.record.closed) return 'by-headers';
    const [method = '', path = '/', version = ''] = startLine.split(' ');
    const httpVersion = version === 'HTTP/1.0' ? '1.0' : '1.1';
    const attempt = this.#parts.log.arrived({ method, path, headers, httpVersion }, this.record);
    const exchange = new Http1Exchange(attempt, this);
    this.#reading = exchange;
    if (this.#cutUponNextRequest) {
      this.#cutNow = true;
      this.#parts.log.admitted(attempt, 'stale');
      return 'by-headers';
    }
    this.#queue.push(exchange);
    try {
      if (startLine === HTTP2_PREFACE) throw new TypeError(SPEAKS_HTTP2);
      exchange.fault = this.#parts.faultFor(attempt);
    } catch (error) {
      exchange.complaint = String(error);
    }
    this.#parts.log.admitted(attempt, exchange.fault.name);
    const { early } = exchange.fault.settings;
    if (headers.expect?.toLowerCase() === '100-continue' && early !== true)
      this.send('HTTP/1.1 100 Continue\r\n\r\n');
    exchange.ready = early === true;
    this.#playFirst();
    return 'by-headers';
  }

  #complete(): void {
    const exchange = this.#reading;
    this.#reading = undefined;
    if (!exchange) return;
    this.#parts.log.completed(exchange.attempt);
    exchange.ready = true;
    this.#playFirst();
  }

  // Answers go out in the order of the requests (RFC 9112, 9.3.2), so only the first one in the queue may be answered.
  #playFirst(): void {
    const first = this.#queue[0];
    if (first?.ready !== true || first.begun || this.record.closed) return;
    first.begun = true;
    if (first.complaint === undefined) FAULTS[first.fault.name].play(first, first.fault.settings);
    else this.complain(501, first.complaint);
  }

  /** Answers with a text that says what is wrong with the test. */
  complain(status: number, why: string): void {
    const length = Buffer.byteLength(why);
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/plain\r\nConnection: close\r\n`;
    this.send(`${head}Content-Length: ${length}\r\n\r\n${why}`);
    this.cut('fin');
  }

  send(bytes: string): void {
    if (!this.record.closed) this.#socket.write(bytes);
  }

  later(when: number | Promise<unknown>, go: () => void): void {
    this.#pauses.later(when, go);
  }

  cutUponNextRequest(how: 'fin' | 'rst', until: Promise<unknown> | undefined): void {
    this.#cutUponNextRequest = how;
    const spare = (): void => {
      this.#cutUponNextRequest = undefined;
    };
    until?.then(spare, spare);
  }

  answered(exchange: Http1Exchange): void {
    const { attempt } = exchange;
    this.#queue.shift();
    this.#parts.log.answered(attempt);
    const wish = attempt.headers.connection?.toLowerCase();
    if (wish?.includes('close') === true || (attempt.httpVersion === '1.0' && wish !== 'keep-alive'))
      this.cut('fin');
    else this.#playFirst();
  }

  cut(how: 'fin' | 'rst'): void {
    if (this.record.closed) return;
    this.#parts.log.socketClosed(this.record, 'upstream', how);
    this.#pauses.stop();
    // The callback of an empty write comes when everything before it has left. A reset before that would discard the data.
    if (how === 'rst') this.#socket.write('', () => this.#tcp.resetAndDestroy());
    else this.#socket.destroySoon();
  }
}

/** Whether the client wants the connection to be closed after this request. RFC 9112, 9.3. */
function isLast({ headers, httpVersion }: Attempt): boolean {
  const wish = headers.connection?.toLowerCase();
  return wish?.includes('close') === true || (httpVersion === '1.0' && wish !== 'keep-alive');
}

/** One request on such a connection. */
class Http1Exchange implements UpstreamExchange {
  fault: ChosenFault = { name: 'ok', settings: {} };
  complaint: string | undefined;
  /** Whether so much of the request has come that the fault can begin. */
  ready = false;
  begun = false;
  #chunked = false;
  readonly #connection: Http1Connection;

  constructor(
    readonly attempt: Attempt,
    connection: Http1Connection,
  ) {
    this.#connection = connection;
  }

  head(status: number, headers: Record<string, string>, length: number | 'chunked'): void {
    this.#chunked = length === 'chunked';
    const framing = this.#chunked ? 'transfer-encoding: chunked' : `content-length: ${length}`;
    const all = isLast(this.attempt) ? { ...headers, connection: 'close' } : headers;
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#connection.send(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${lines.join('')}${framing}\r\n\r\n`,
    );
  }

  write(bytes: string): void {
    if (this.attempt.method === 'HEAD' || bytes === '') return;
    this.#connection.send(this.#chunked ? `${Buffer.byteLength(bytes).toString(16)}\r\n${bytes}\r\n` : bytes);
  }

  end(): void {
    if (this.#chunked && this.attempt.method !== 'HEAD') this.#connection.send('0\r\n\r\n');
    this.#connection.answered(this);
  }

  raw(bytes: string): void {
    this.#connection.send(bytes);
  }

  cut(how: 'fin' | 'rst'): void {
    this.#connection.cut(how);
  }

  cutUponNextRequest(how: 'fin' | 'rst', until: Promise<unknown> | undefined): void {
    this.#connection.cutUponNextRequest(how, until);
  }

  goAway(): void {
    throw new TypeError('HTTP/1.1 has no GOAWAY: a server closes the connection.');
  }

  later(when: number | Promise<unknown>, go: () => void): void {
    this.#connection.later(when, go);
  }
}
