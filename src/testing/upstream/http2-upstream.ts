import { constants, type ServerHttp2Stream } from 'node:http2';
import type { UpstreamExchange } from './upstream-exchange';
import type { ChosenFault } from './fault-choice';
import { FAULTS } from './faults';
import type { UpstreamParts } from './http1-upstream';
import { Pauses } from '../pauses';
import type { Attempt, SocketRecord } from './upstream-log';

type Headers = Record<string, string | string[] | undefined>;

/** Serves one HTTP/2 stream. */
export function serveStream(
  stream: ServerHttp2Stream,
  headers: Headers,
  record: SocketRecord,
  { log, faultFor }: UpstreamParts,
): void {
  const attempt = log.arrived(
    {
      method: String(headers[':method']),
      path: String(headers[':path']),
      headers: plain(headers),
      httpVersion: '2',
    },
    record,
  );
  const exchange = new Http2Exchange(attempt, stream, (how) => {
    log.streamClosed(attempt, 'upstream', how === 'rst' ? 'stream-reset' : 'fin');
    if (how === 'fin') record.destroy();
  });
  exchange.onAnswered = () => log.answered(attempt);
  watch(stream, () => {
    exchange.stop();
    // A client may reset a stream with the code of an orderly end, as undici does for a request whose signal aborts. Then only
    // the missing answer tells that it was cut.
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || attempt.state === 'running')
      log.streamClosed(attempt, 'client', 'stream-reset');
  });
  const play = choose(exchange, faultFor);
  log.admitted(attempt, exchange.fault.name);
  if (exchange.fault.settings.early === true) play();
  stream.on('data', (bytes: Buffer) => log.received(attempt, bytes));
  stream.on('end', () => {
    // Node emits 'end' for a reset stream, too.
    if (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    log.completed(attempt);
    if (exchange.fault.settings.early !== true) play();
  });
}

function choose(exchange: Http2Exchange, faultFor: UpstreamParts['faultFor']): () => void {
  try {
    exchange.fault = faultFor(exchange.attempt);
    return () => FAULTS[exchange.fault.name].play(exchange, exchange.fault.settings);
  } catch (error) {
    return () => {
      exchange.head(501, { 'content-type': 'text/plain' }, 'chunked');
      exchange.write(String(error));
      exchange.end();
    };
  }
}

function watch(stream: ServerHttp2Stream, closed: () => void): void {
  // A client that resets its stream gives 'error' for some codes only; how it ended is read from rstCode.
  stream.on('error', () => undefined);
  stream.on('close', closed);
}

function plain(headers: Headers): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => !name.startsWith(':'));
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

class Http2Exchange implements UpstreamExchange {
  fault: ChosenFault = { name: 'ok', settings: {} };
  onAnswered: () => void = () => undefined;
  readonly #pauses = new Pauses();
  readonly #stream: ServerHttp2Stream;
  readonly #onCut: (how: 'fin' | 'rst') => void;

  constructor(
    readonly attempt: Attempt,
    stream: ServerHttp2Stream,
    onCut: (how: 'fin' | 'rst') => void,
  ) {
    this.#stream = stream;
    this.#onCut = onCut;
  }

  head(status: number, headers: Record<string, string>, length: number | 'chunked'): void {
    if (this.#stream.destroyed) return;
    const framing = length === 'chunked' ? {} : { 'content-length': String(length) };
    this.#stream.respond(
      { ':status': status, ...headers, ...framing },
      { endStream: this.attempt.method === 'HEAD' },
    );
  }

  write(bytes: string): void {
    if (!this.#stream.destroyed && this.attempt.method !== 'HEAD') this.#stream.write(bytes);
  }

  end(): void {
    if (this.#stream.destroyed) return;
    this.onAnswered();
    if (this.attempt.method !== 'HEAD') this.#stream.end();
  }

  raw(): void {
    throw new TypeError('There are no raw bytes on HTTP/2.');
  }

  cutUponNextRequest(): void {
    throw new TypeError('HTTP/2 has no such race: a server says goodbye first, see the fault "goaway".');
  }

  goAway(): void {
    this.#pauses.stop();
    const { session, id } = this.#stream;
    if (!session || id === undefined) return;
    this.#onCut('rst');
    // RFC 9113, 6.8: what has a higher number than the last one that is named was not processed.
    session.goaway(constants.NGHTTP2_NO_ERROR, Math.max(0, id - 2));
    this.#stream.close(constants.NGHTTP2_REFUSED_STREAM);
  }

  cut(how: 'fin' | 'rst'): void {
    this.#pauses.stop();
    this.#onCut(how);
    // Not close(code), nor destroy() without an error: Node ends the stream before it resets it, so that a fragment without a
    // length would look whole to the client (observed on Node 20 to 26).
    if (how === 'rst') this.#stream.destroy(new Error('the fault'));
  }

  later(when: number | Promise<unknown>, go: () => void): void {
    this.#pauses.later(when, go);
  }

  stop(): void {
    this.#pauses.stop();
  }
}
