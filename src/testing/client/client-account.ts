import { Http1Reader } from '../http1-reader';
import type { PlannedRequest } from './client-plan';

/** One response as it came over the wire. */
export interface ClientResponse {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case; the values of a repeated header are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly trailers: Readonly<Record<string, string>>;
  /** Interim answers that came before it, for example 100. */
  readonly interim: readonly number[];
  /** The body, as far as it came. */
  readonly body: Buffer;
  /** The same as text. */
  readonly text: string;
  readonly bodyBytes: number;
  /** Whether the message is complete: it reached its length, its last chunk, or the orderly end of the connection. */
  readonly complete: boolean;
  /** Milliseconds from the start until the message was complete; `undefined` if it never was. */
  readonly endedAt: number | undefined;
}

/** What a client has seen. */
export interface ClientAccount {
  /** Every response, even a partial one, in the order of the requests. */
  readonly responses: readonly ClientResponse[];
  /** The first response; `undefined` if not even headers came. */
  readonly response: ClientResponse | undefined;
  /**
   * How the connection ended: the server closed (`fin`) or reset (`rst`) it, the client left (`we-left`), or it was still
   * `open` when all was answered or when `patience` had passed.
   */
  readonly ended: 'fin' | 'rst' | 'open' | 'we-left';
  /** What came that is not HTTP, in words; `undefined` if everything was. */
  readonly malformed: string | undefined;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Milliseconds from the start; `undefined` for what did not happen. */
  readonly ms: {
    readonly connected: number | undefined;
    readonly requestSent: number | undefined;
    readonly firstByte: number | undefined;
    readonly left: number | undefined;
    readonly ended: number;
  };
}

type Measured = ClientAccount['ms'];

/** The times of a client that has just started. */
export function unmeasured(): { -readonly [K in keyof Measured]: Measured[K] } {
  return { connected: undefined, requestSent: undefined, firstByte: undefined, left: undefined, ended: 0 };
}

/** A response that is still growing. */
class GrowingResponse {
  headers: Record<string, string> = {};
  trailers: Record<string, string> = {};
  status = 0;
  statusText = '';
  interim: number[] = [];
  complete = false;
  bodyBytes = 0;
  endedAt: number | undefined;
  readonly pieces: Buffer[] = [];

  add(bytes: Buffer): void {
    this.pieces.push(bytes);
    this.bodyBytes += bytes.length;
  }

  finished(): ClientResponse {
    const body = Buffer.concat(this.pieces);
    const { status, statusText, headers, trailers, interim, bodyBytes, complete, endedAt } = this;
    return {
      status,
      statusText,
      headers,
      trailers,
      interim,
      body,
      text: body.toString(),
      bodyBytes,
      complete,
      endedAt,
    };
  }
}

/** The responses of one connection while they come in. */
export class IncomingResponses {
  readonly all: GrowingResponse[] = [];
  malformed: string | undefined;
  /** How many requests have been sent. */
  expected: number;
  readonly #interim: number[] = [];
  #current: GrowingResponse | undefined;
  readonly #requests: readonly PlannedRequest[];
  readonly #reader: Http1Reader;
  readonly #now: () => number;

  /** @param now milliseconds since the client has started. */
  constructor(requests: readonly PlannedRequest[], now: () => number, expected = requests.length) {
    this.#requests = requests;
    this.#now = now;
    this.expected = expected;
    this.#reader = new Http1Reader('response', {
      head: ({ startLine, headers }) => this.head(Number(startLine.split(' ')[1]), startLine, headers),
      body: (bytes) => this.#current?.add(bytes),
      trailers: (trailers) => {
        if (this.#current) this.#current.trailers = trailers;
      },
      end: () => this.finish(),
      malformed: (why) => {
        this.malformed ??= why;
      },
    });
  }

  push(bytes: Buffer): void {
    this.#reader.push(bytes);
  }

  close(): void {
    this.#reader.close();
  }

  /** Headers have come: on HTTP/1.1 by the reader, on HTTP/2 from the library. */
  head(
    status: number,
    startLine: string,
    headers: Record<string, string>,
  ): 'no-body' | 'interim' | 'by-headers' {
    if (status >= 100 && status < 200 && status !== 101) {
      this.#interim.push(status);
      return 'interim';
    }
    const response = new GrowingResponse();
    Object.assign(response, { status, headers, statusText: startLine.split(' ').slice(2).join(' ') });
    response.interim = this.#interim.splice(0);
    this.#current = response;
    const request = this.#requests[this.all.push(response) - 1];
    // RFC 9110, 6.4.1: these have no body, whatever their headers say.
    return request?.method === 'HEAD' || status === 204 || status === 304 || status === 101
      ? 'no-body'
      : 'by-headers';
  }

  body(bytes: Buffer): void {
    this.#current?.add(bytes);
  }

  finish(): void {
    if (this.#current) {
      this.#current.complete = true;
      this.#current.endedAt = this.#now();
    }
    this.#current = undefined;
  }

  get allComplete(): boolean {
    return this.all.length >= this.expected && this.all.every(({ complete }) => complete);
  }

  /** Whether the server has said that it will close after the last response. */
  get serverWillClose(): boolean {
    return this.all.at(-1)?.headers.connection?.toLowerCase() === 'close';
  }

  /** How many bytes of bodies have come; -1 as long as not even headers have come. */
  get bodyBytes(): number {
    return this.all.length === 0 ? -1 : this.all.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  }
}
