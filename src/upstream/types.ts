import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';

/** Options of `upstream()`. All are optional. */
export interface UpstreamOptions {
  /**
   * The longest time that an unused socket is kept, in ms; `false` to use each socket once. Default: 4000, below the 5 s
   * of Node's own servers. The upstream's `Keep-Alive: timeout=` hint can only shorten it.
   */
  keepAlive?: number | false;
  /** How often a call may be sent again, 0 to 10. Default: 2. */
  retries?: number;
  /**
   * The longest time in ms that one try may take until the response's headers have come; `false` for no limit but the
   * request's own deadline. Default: `false`.
   */
  attempt?: number | false;
  /**
   * The largest number of sockets, for each origin or each address of a name; calls beyond it wait for their turn.
   * Default: `Infinity`.
   */
  connections?: number;
  /**
   * How to connect: options of Node's `tls.connect()` and `net.connect()` (`ca`, `cert`, `key`, `servername`, `lookup`,
   * `socketPath`, …), and `timeout`, the longest time that connecting may take in ms (default: 10000).
   */
  connect?: ConnectionOptions & { socketPath?: string; timeout?: number };
  /**
   * When an origin or an address that fails is left out for a while, in Envoy's terms; `false` for never. Of a single one
   * there is nothing to leave out.
   */
  outlierDetection?: OutlierDetectionOptions | false;
  /**
   * An undici dispatcher that sends the calls in the place of our own sockets: a `MockAgent`, a `ProxyAgent`, an
   * `EnvHttpProxyAgent`. `keepAlive`, `connections` and `connect` have no effect on it. Default: our own sockets, unless
   * the app has set a global dispatcher that is no plain `Agent`.
   */
  dispatcher?: UpstreamDispatcher | undefined;
}

/** What all dispatchers of undici have, of whatever version. */
export interface UpstreamDispatcher {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- undici 7 and 8 differ in what they say here
  dispatch(options: any, handler: any): boolean;
}

/** Options of outlier detection, named as Envoy names them. */
export interface OutlierDetectionOptions {
  /** Failures in a row that eject: no answer, a broken one, 502, 503, 504. 1 to 1000; default: 5. */
  consecutiveGatewayFailure?: number;
  /** How long the first ejection lasts, in ms; the second in a row lasts twice as long, and so on. Default: 30000. */
  baseEjectionTime?: number;
  /** The longest ejection, in ms. Default: 300000. */
  maxEjectionTime?: number;
  /** How many may be ejected at a time, in percent, 0 to 100; one always may be, all never. Default: 10. */
  maxEjectionPercent?: number;
}

/** What only concerns one call. */
export interface UpstreamCallOptions {
  /**
   * Whether the call may be sent twice although the first may have had its effect. Default: true for GET, HEAD, OPTIONS,
   * PUT and DELETE, and for all that carries an `Idempotency-Key` header.
   */
  idempotent?: boolean;
  /** As the option of `upstream()`, for this call. */
  retries?: number;
  /** As the option of `upstream()`, for this call. */
  attempt?: number | false;
  /** As the option of `upstream()`, for this call. */
  dispatcher?: UpstreamDispatcher | undefined;
}

/** What `fetch()` takes: all that WHATWG fetch takes, and what only concerns this one call. */
export interface UpstreamRequestInit extends Omit<RequestInit, 'body' | 'dispatcher'>, UpstreamCallOptions {
  /** As for fetch; streams and async iterables need no `duplex`. What can be read only once is never sent again. */
  body?: RequestInit['body'] | AsyncIterable<Uint8Array>;
}

/** What `request()` takes. */
export interface UpstreamRequestOptions extends UpstreamCallOptions {
  /** Default: `GET`. */
  method?: string;
  headers?: Record<string, string | string[] | undefined> | Iterable<[string, string]>;
  /** As for `fetch()`. */
  body?: UpstreamRequestInit['body'];
  /** Ends the call, and the reading of its body. */
  signal?: AbortSignal | null;
  /** The longest time until the headers have come, in ms; 0 for no limit. Default: undici's, 300000. */
  headersTimeout?: number;
  /** The longest time between two pieces of the body, in ms; 0 for no limit. Default: undici's, 300000. */
  bodyTimeout?: number;
}

/** What `request()` gives: undici's. */
export interface UpstreamResponse {
  statusCode: number;
  /** Names in lower case. Nothing is decoded: `content-encoding` is the caller's affair. */
  headers: IncomingHttpHeaders;
  /** Known once the body has been read. */
  trailers: Record<string, string>;
  /** To be read, or to be given up by `dump()` or `destroy()`. */
  body: UpstreamBody;
}

/** The body of what `request()` gives: a stream of Node's that can also be read at once. */
export interface UpstreamBody extends Readable {
  text(): Promise<string>;
  json(): Promise<unknown>;
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array>;
  arrayBuffer(): Promise<ArrayBuffer>;
  /** Reads and forgets what is left, up to `limit` bytes (default: 131072); more than that closes the socket. */
  dump(options?: { limit?: number; signal?: AbortSignal }): Promise<void>;
  readonly bodyUsed: boolean;
}

/** What has happened at one origin, or at one address of its name. */
export interface EndpointStats {
  origin: string;
  /** Where the name of the origin has several addresses. */
  address?: string;
  /** Requests that were sent there, each try for itself. */
  requests: number;
  /** Tries that failed: no answer, a broken one, 502, 503, 504. */
  failures: number;
  /** Requests that are under way, or wait for a socket. */
  inFlight: number;
  /** It is left out at present, because it has failed again and again. */
  ejected: boolean;
  /** How often it has been left out. */
  ejections: number;
  /** As in `UpstreamStats`. */
  resets: { first: number; reused: number };
  /** As in `UpstreamStats`. */
  keepAlive: { limit: number; learned: boolean };
}

/** What has happened so far, from `stats()`. */
export interface UpstreamStats {
  /** The first of them, where there are several. */
  origin: string;
  /** Calls of `fetch()` and `request()`. */
  requests: number;
  /** How often a call was sent again. */
  retries: number;
  /**
   * How often a call was sent again because the kept socket that it was written to was dead: the upstream has not seen it
   * the first time. It is no retry, and costs none.
   */
  replays: number;
  /**
   * Tries that ended because the connection broke: on a socket's first request, or on a reused one. Many resets of reused
   * sockets say that the upstream (or something before it) drops idle sockets earlier than they are given up here.
   */
  resets: { first: number; reused: number };
  /** The retries that are left: 10 at first, a retry costs 1, a success gives 0.1, and 10 s give 1. */
  budget: number;
  /** The longest time in ms that an unused socket is kept at present, and whether an upstream has taught it. */
  keepAlive: { limit: number; learned: boolean };
  /** By origin, and by address where the name of one has several. */
  endpoints: EndpointStats[];
}

/** A client for one upstream, from `upstream()`. */
export interface Upstream {
  /** The first of them, where there are several. */
  readonly origin: string;
  /**
   * Fetches `path` from the upstream on behalf of `req`: stops when that request is over, tells the upstream how much
   * time is left, and sends again what can be. Outside of a request, `req` is `null`.
   *
   * @param req - The Express request for which it is done, or `null`.
   * @param path - Path and query, beginning with `/`. It can never lead to another origin.
   * @returns A WHATWG `Response` (undici's), whatever its status. What the request leaves unread of it is given up when the
   *   request is over; outside of a request, read or cancel each body.
   * @throws {HangupError} the reason for which the request was aborted, before or while the call waits.
   * @throws {TypeError} `fetch failed`, as fetch does; its `cause` names the origin and the try.
   */
  readonly fetch: (
    req: IncomingMessage | null,
    path: string,
    init?: UpstreamRequestInit,
  ) => Promise<Response>;
  /**
   * The same on undici's `request()`, at a third of the CPU time: no redirects, no decoding, no `Response`.
   *
   * @param req - As for `fetch()`.
   * @param path - As for `fetch()`.
   * @returns `{ statusCode, headers, body }`, whatever the status.
   * @throws {HangupError} the reason for which the request was aborted, before or while the call waits.
   * @throws {Error} with undici's `code`; its message names the origin and the try.
   */
  readonly request: (
    req: IncomingMessage | null,
    path: string,
    options?: UpstreamRequestOptions,
  ) => Promise<UpstreamResponse>;
  /** What has happened so far. */
  readonly stats: () => UpstreamStats;
  /** Closes the sockets once what is under way has ended; later calls are refused. Resolves when all are closed. */
  readonly close: () => Promise<void>;
}
