import { nonNegative, checkOptionNames, oneOf } from '../check-options';

/** One request as a client writes it. */
export interface ClientRequest {
  /** Default `POST` with a body, else `GET`. */
  method?: string;
  /** Default `/`. */
  path?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Send the body in chunks, without a Content-Length. Default false. */
  chunked?: boolean;
  /** Bytes that are sent as they are instead of a request. HTTP/1.1 only. */
  raw?: string | Buffer;
}

/** The points at which a client can leave. */
export const LEAVE = ['never', 'before-body', 'during-body', 'after-request', 'during-response'] as const;

/** The options of `clientThatHangsUp()`. */
export interface ClientThatHangsUpOptions extends ClientRequest {
  /** Several requests instead of one, sent at once on one connection (pipelining). HTTP/1.1 only. */
  requests?: readonly ClientRequest[];
  /** Send each of the `requests` only when the previous one has been answered, on the same connection. Default false. */
  oneByOne?: boolean;
  /** When the client leaves. Default `never`: it waits for the whole answer. */
  leave?: (typeof LEAVE)[number];
  /**
   * With `during-body`: how many bytes of the body the client sends before it leaves; default half of them. With
   * `during-response`: how many bytes of the response's body it reads before it leaves; default 1; with 0 the headers suffice.
   */
  bytes?: number;
  /** What the client then still waits for before it leaves: milliseconds, or a promise. Default 0. */
  after?: number | Promise<unknown>;
  /**
   * How the client leaves. `fin`, the default, closes the connection. `rst` resets it (HTTP/2: RST_STREAM with CANCEL).
   * `half-close` ends the sending side and reads on (HTTP/1.1 only).
   */
  how?: 'fin' | 'rst' | 'half-close';
  /** For a slow reader: it begins to read after so many milliseconds, or when a promise has settled. */
  readAfter?: number | Promise<unknown>;
  /** For a slow reader: how many milliseconds it pauses after each piece of up to 64 KB. Default 0. */
  readPause?: number;
  /** How long the client stays after the last answer, to see what else comes: milliseconds, or a promise. Default: not at all. */
  stay?: number | Promise<unknown>;
  /** Default `http1`. */
  protocol?: 'http1' | 'http2';
  /** The longest time that the client stays connected, in milliseconds. Default 5000. */
  patience?: number;
}

/** A request ready to be sent. */
export interface PlannedRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
  chunked: boolean;
  raw: Buffer | undefined;
}

/** The checked options. */
export interface ClientPlan {
  requests: readonly PlannedRequest[];
  oneByOne: boolean;
  /** Called before the second and each further request that is sent one by one. */
  beforeNext?: () => Promise<void>;
  /** Called when all requests are answered. From then on the client only stays connected. */
  onAnswered?: () => void;
  leave: (typeof LEAVE)[number];
  bytes: number | undefined;
  after: number | Promise<unknown>;
  how: 'fin' | 'rst' | 'half-close';
  readAfter: number | Promise<unknown> | undefined;
  readPause: number;
  stay: number | Promise<unknown> | undefined;
  protocol: 'http1' | 'http2';
  patience: number;
}

const REQUEST_OPTIONS = ['method', 'path', 'headers', 'body', 'chunked', 'raw'];
const OPTIONS = [
  ...REQUEST_OPTIONS,
  ...[
    'requests',
    'oneByOne',
    'leave',
    'bytes',
    'after',
    'how',
    'readAfter',
    'readPause',
    'stay',
    'protocol',
    'patience',
  ],
];

/** Checks the options; throws a TypeError or RangeError that names the wrong one. */
export function clientPlan(options: ClientThatHangsUpOptions): ClientPlan {
  const where = 'clientThatHangsUp()';
  checkOptionNames(where, options, OPTIONS);
  const leave = oneOf(`${where}: leave`, options.leave, LEAVE);
  const protocol = oneOf(`${where}: protocol`, options.protocol, ['http1', 'http2']);
  const how = oneOf(`${where}: how`, options.how, ['fin', 'rst', 'half-close']);
  const requests = (options.requests ?? [options]).map(plannedRequest);
  if (protocol === 'http2' && (how === 'half-close' || requests.length !== 1 || requests[0]?.raw)) {
    throw new TypeError(`${where}: on HTTP/2 there is neither a half-close, nor pipelining, nor raw bytes.`);
  }
  if (requests.length === 0) throw new TypeError(`${where}: requests is empty.`);
  return {
    requests,
    oneByOne: options.oneByOne ?? false,
    leave,
    protocol,
    how,
    bytes: options.bytes === undefined ? undefined : nonNegative(`${where}: bytes`, options.bytes, 0),
    after: moment(`${where}: after`, options.after) ?? 0,
    readAfter: moment(`${where}: readAfter`, options.readAfter),
    readPause: nonNegative(`${where}: readPause`, options.readPause, 0),
    stay: moment(`${where}: stay`, options.stay),
    patience: nonNegative(`${where}: patience`, options.patience, 5000),
  };
}

function moment(
  where: string,
  value: number | Promise<unknown> | undefined,
): number | Promise<unknown> | undefined {
  return typeof value === 'number' ? nonNegative(where, value, 0) : value;
}

function plannedRequest(request: ClientRequest): PlannedRequest {
  const body = Buffer.from(request.body ?? '');
  return {
    method: request.method ?? (request.body === undefined ? 'GET' : 'POST'),
    path: request.path ?? '/',
    headers: request.headers ?? {},
    body,
    chunked: request.chunked ?? false,
    raw: request.raw === undefined ? undefined : Buffer.from(request.raw as string),
  };
}
