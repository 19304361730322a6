import type { FaultName } from './fault-names';
import type { UpstreamExchange } from './upstream-exchange';
import type { UpstreamAttempt } from './upstream-log';

/** The settings of a fault. `docs/testing.md` lists their defaults. */
export interface FaultSettings {
  /** How long the fault waits, in ms: before the answer, between two pieces, or before the cut. */
  ms?: number;
  /** A promise to wait for instead of `ms`. Only in code, not in a path or a header. */
  until?: Promise<unknown>;
  /** The length of the body that is announced or sent, in bytes. */
  bytes?: number;
  /** Number of pieces. */
  chunks?: number;
  /** Status of the answer. */
  status?: number;
  /** Seconds, or a date, in `Retry-After`. */
  retryAfter?: number | string;
  /** How the connection ends: `fin` closes it, `rst` resets it. */
  how?: 'fin' | 'rst';
  /** Act as soon as the headers have come, without waiting for the request's body. Default false. */
  early?: boolean;
  /** Fail only so many times for the same method and path, then answer as `ok`. Default: always fail. */
  times?: number;
  /** Further headers of the answer. Only in code, not in a path or a header. */
  headers?: Record<string, string>;
  /**
   * The body, instead of a JSON text. A function is called when the request has come. Only in code, not in a path or a header.
   */
  body?: string | ((attempt: UpstreamAttempt) => string);
}

/** One line of the table of faults. */
export interface FaultEntry {
  /** What the fault does, in a few words. */
  readonly does: string;
  /** The settings that have an effect on it, with their defaults. */
  readonly settings: FaultSettings;
  /** Whether it exists for HTTP/1.1. */
  readonly http1: boolean;
  /** Whether it exists for HTTP/2. */
  readonly http2: boolean;
  /** Executes the fault. */
  readonly play: (exchange: UpstreamExchange, settings: FaultSettings) => void;
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** A JSON text of exactly so many bytes, so that a route can parse the body if all of it has come. */
function jsonOfLength(bytes: number): string {
  return bytes < 2 ? '1'.repeat(bytes) : `"${'x'.repeat(bytes - 2)}"`;
}

function bodyOf({ attempt }: UpstreamExchange, { body, bytes }: FaultSettings): string {
  if (typeof body === 'function') return body(attempt);
  return body ?? (bytes === undefined ? '{"ok":true}' : jsonOfLength(bytes));
}

function answer(
  exchange: UpstreamExchange,
  status: number,
  settings: FaultSettings,
  more: Record<string, string> = {},
): void {
  const body = bodyOf(exchange, settings);
  exchange.head(status, { ...JSON_TYPE, ...more, ...settings.headers }, Buffer.byteLength(body));
  exchange.write(body);
  exchange.end();
}

function ok(exchange: UpstreamExchange, settings: FaultSettings): void {
  answer(exchange, settings.status ?? 200, settings);
}

function slow(exchange: UpstreamExchange, settings: FaultSettings): void {
  exchange.later(settings.until ?? settings.ms ?? 0, () => ok(exchange, settings));
}

function drip(exchange: UpstreamExchange, settings: FaultSettings): void {
  const pieces = piecesOf(bodyOf(exchange, settings), settings.chunks ?? 1);
  exchange.head(settings.status ?? 200, { ...JSON_TYPE, ...settings.headers }, 'chunked');
  const next = (index: number): void => {
    const piece = pieces[index];
    if (piece === undefined) {
      exchange.end();
      return;
    }
    exchange.write(piece);
    exchange.later(settings.until ?? settings.ms ?? 0, () => next(index + 1));
  };
  next(0);
}

function piecesOf(text: string, count: number): string[] {
  const size = Math.max(1, Math.ceil(text.length / Math.max(1, count)));
  return Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
    text.slice(i * size, (i + 1) * size),
  );
}

/** Half of a body of known length, or two whole chunks of a chunked one. */
function half(exchange: UpstreamExchange, settings: FaultSettings, framing: 'length' | 'chunks'): void {
  const body = bodyOf(exchange, settings);
  const middle = Math.floor(body.length / 2);
  const length = framing === 'length' ? Buffer.byteLength(body) : 'chunked';
  exchange.head(settings.status ?? 200, { ...JSON_TYPE, ...settings.headers }, length);
  exchange.write(body.slice(0, middle));
}

const cutBefore = (exchange: UpstreamExchange, settings: FaultSettings, how: 'fin' | 'rst'): void =>
  exchange.later(settings.until ?? settings.ms ?? 0, () => exchange.cut(how));

const cutInHeaders = (exchange: UpstreamExchange, settings: FaultSettings, how: 'fin' | 'rst'): void => {
  exchange.raw('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Le');
  cutBefore(exchange, settings, how);
};

function cutInBody(framing: 'length' | 'chunks', how: 'fin' | 'rst'): FaultEntry['play'] {
  return (exchange, settings) => {
    half(exchange, settings, framing);
    cutBefore(exchange, settings, how);
  };
}

function wrongLength(difference: number): FaultEntry['play'] {
  return (exchange, settings) => {
    const body = bodyOf(exchange, settings);
    const headers = { ...JSON_TYPE, ...settings.headers };
    exchange.head(settings.status ?? 200, headers, Math.max(0, Buffer.byteLength(body) + difference));
    exchange.write(body);
    exchange.end();
  };
}

function afterAnswer(
  then: (exchange: UpstreamExchange, settings: FaultSettings) => void,
): FaultEntry['play'] {
  return (exchange, settings) => {
    ok(exchange, settings);
    then(exchange, settings);
  };
}

const raw =
  (text: string): FaultEntry['play'] =>
  (exchange, settings) => {
    exchange.later(settings.until ?? settings.ms ?? 0, () => exchange.raw(text));
  };

/** Headers beyond what Node's and undici's parsers accept (16 KB by default). */
const OVERSIZED = `HTTP/1.1 200 OK\r\n${Array.from({ length: 100 }, (_, i) => `X-Filler-${i}: ${'x'.repeat(1000)}\r\n`).join('')}\r\n`;

const PARTIAL = { ms: 20, bytes: 1000 };

function entry(does: string, settings: FaultSettings, play: FaultEntry['play'], http2 = true): FaultEntry {
  return { does, settings, play, http1: true, http2 };
}

/** Every fault, in the order of the table in `docs/testing.md`. */
const TABLE = {
  ok: entry('answers at once: 200 and a JSON text', { status: 200 }, ok),
  slow: entry('waits, then answers', { ms: 200, status: 200 }, slow),
  drip: entry(
    'sends the body piece by piece, chunked',
    { ms: 20, chunks: 10, bytes: 1000, status: 200 },
    drip,
  ),
  status: entry('answers with an error status', { status: 500 }, ok),
  unavailable: entry('answers 503 with Retry-After', { retryAfter: 1 }, (exchange, settings) =>
    answer(exchange, 503, settings, { 'retry-after': String(settings.retryAfter) }),
  ),
  hang: entry('never answers', {}, () => undefined),
  'hang-headers': entry(
    'sends half of the headers, then nothing',
    {},
    raw('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Le'),
    false,
  ),
  'hang-body': entry(
    'sends the headers and half of the body, then nothing',
    { bytes: 1000 },
    (exchange, settings) => half(exchange, settings, 'length'),
  ),
  reset: entry('resets the connection before any byte of an answer', { ms: 0 }, (e, s) =>
    cutBefore(e, s, 'rst'),
  ),
  'reset-headers': entry(
    'resets it amid the headers',
    { ms: 20 },
    (e, s) => cutInHeaders(e, s, 'rst'),
    false,
  ),
  'reset-body': entry('resets it amid a body of known length', PARTIAL, cutInBody('length', 'rst')),
  'reset-chunk': entry('resets it between two chunks', PARTIAL, cutInBody('chunks', 'rst')),
  close: entry('closes the connection before any byte of an answer', { ms: 0 }, (e, s) =>
    cutBefore(e, s, 'fin'),
  ),
  'close-headers': entry(
    'closes it amid the headers',
    { ms: 20 },
    (e, s) => cutInHeaders(e, s, 'fin'),
    false,
  ),
  'close-body': entry('closes it amid a body of known length', PARTIAL, cutInBody('length', 'fin')),
  'close-chunk': entry('closes it between two chunks', PARTIAL, cutInBody('chunks', 'fin')),
  garbage: entry(
    'answers with bytes that are not HTTP',
    { ms: 0 },
    raw('220 mail.example ESMTP ready\r\n'),
    false,
  ),
  'bad-status': entry(
    'answers with a status that is none',
    { ms: 0 },
    raw('HTTP/1.1 xxx Nonsense\r\nContent-Length: 0\r\n\r\n'),
    false,
  ),
  'bad-chunk': entry(
    'sends a chunk, then one with a malformed size',
    { ms: 0 },
    raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\nworld\r\n0\r\n\r\n'),
    false,
  ),
  'header-overflow': entry('sends 100 KB of headers', { ms: 0 }, raw(OVERSIZED), false),
  'two-lengths': entry(
    'sends two lengths that contradict each other',
    { ms: 0 },
    raw('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello'),
    false,
  ),
  'long-length': entry('announces 10 bytes more than it sends', { bytes: 1000 }, wrongLength(10), false),
  'short-length': entry('announces 10 bytes fewer than it sends', { bytes: 1000 }, wrongLength(-10), false),
  raw: entry(
    'sends the text given as body, whatever it is',
    { ms: 0 },
    (e, s) => e.later(s.until ?? s.ms ?? 0, () => e.raw(bodyOf(e, s))),
    false,
  ),
  'idle-close': entry(
    'answers, then closes the idle connection after some time, as a server does at its keep-alive timeout',
    { ms: 0, how: 'fin' },
    afterAnswer((exchange, settings) => {
      const { attempt } = exchange;
      exchange.later(settings.until ?? settings.ms ?? 0, () => {
        // The connection is kept if another request has come in time.
        if (attempt.socket.requests === attempt.requestOnSocket) exchange.cut(settings.how ?? 'fin');
      });
    }),
    false,
  ),
  stale: entry(
    'answers, then closes the connection exactly when the next request arrives on it: the keep-alive race',
    { how: 'fin' },
    afterAnswer((exchange, settings) => exchange.cutUponNextRequest(settings.how ?? 'fin', settings.until)),
    false,
  ),
  goaway: {
    ...entry(
      'refuses the request and ends the connection by GOAWAY, as a server does that shuts down',
      { ms: 0 },
      (e, s) => e.later(s.until ?? s.ms ?? 0, () => e.goAway()),
    ),
    http1: false,
  },
} satisfies Record<FaultName, FaultEntry>;

/** What each fault does, its settings, and whether it exists for HTTP/2. */
export const FAULTS: Readonly<Record<FaultName, FaultEntry>> = TABLE;
