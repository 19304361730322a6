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
   * `socketPath`, …), and `timeout`, the longest time that connecting may take in ms (default: 10000; 0 for no limit).
   */
  connect?: ConnectionOptions & { socketPath?: string; timeout?: number };
  /**
   * When an origin or an address that fails gets no calls for a while, in Envoy's terms; `false` for never. It has no
   * effect on an upstream with a single origin and a single address.
   */
  outlierDetection?: OutlierDetectionOptions | false;
  /**
   * An undici dispatcher that sends the calls instead of our own connection pool: a `MockAgent`, a `ProxyAgent`, an
   * `EnvHttpProxyAgent`. `keepAlive`, `connections` and `connect` have no effect on it. Default: our own pool, or the
   * app's global dispatcher if that is not a plain `Agent`.
   */
  dispatcher?: UpstreamDispatcher | undefined;
}

/** What the dispatchers of every version of undici have in common. */
export interface UpstreamDispatcher {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- undici 7 and 8 declare different types here
  dispatch(options: any, handler: any): boolean;
}

/** Options of outlier detection, named as Envoy names them. */
export interface OutlierDetectionOptions {
  /** How many failures in a row eject. A failure is no answer, a broken one, 502, 503 or 504. 1 to 1000; default: 5. */
  consecutiveGatewayFailure?: number;
  /** How long the first ejection lasts, in ms; the second in a row lasts twice as long, and so on. Default: 30000. */
  baseEjectionTime?: number;
  /** The longest ejection, in ms. Default: 300000. */
  maxEjectionTime?: number;
  /** How many may be ejected at a time, in percent, 0 to 100. One may always be ejected, and never all. Default: 10. */
  maxEjectionPercent?: number;
}

/** Options of a single call. */
export interface UpstreamCallOptions {
  /**
   * Whether the call may be sent again although the upstream may have processed it already. Default: true for GET, HEAD,
   * OPTIONS, PUT and DELETE, and for every call with an `Idempotency-Key` header.
   */
  idempotent?: boolean;
  /** As the option of `upstream()`, for this call. */
  retries?: number;
  /** As the option of `upstream()`, for this call. */
  attempt?: number | false;
  /** As the option of `upstream()`, for this call. */
  dispatcher?: UpstreamDispatcher | undefined;
}

/** What `fetch()` takes: all that WHATWG fetch takes, and the options of this call. */
export interface UpstreamRequestInit extends Omit<RequestInit, 'body' | 'dispatcher'>, UpstreamCallOptions {
  /** As for fetch; streams and async iterables need no `duplex`. A body that can be read only once is never sent again. */
  body?: RequestInit['body'] | AsyncIterable<Uint8Array>;
}

/** What `request()` takes. */
export interface UpstreamRequestOptions extends UpstreamCallOptions {
  /** Default: `GET`. */
  method?: string;
  headers?: Record<string, string | string[] | undefined> | Iterable<[string, string]>;
  /** As for `fetch()`. */
  body?: UpstreamRequestInit['body'];
  /** Aborts the call and the reading of its body. */
  signal?: AbortSignal | null;
  /** The longest time until the headers have come, in ms; 0 for no limit. Default: undici's, 300000. */
  headersTimeout?: number;
  /** The longest time between two pieces of the body, in ms; 0 for no limit. Default: undici's, 300000. */
  bodyTimeout?: number;
}

/** What `request()` resolves with, as undici's does. */
export interface UpstreamResponse {
  statusCode: number;
  /** Names in lower case. The body is not decoded: the caller has to heed `content-encoding`. */
  headers: IncomingHttpHeaders;
  /** Known once the body has been read. */
  trailers: Record<string, string>;
  /** Read it, or discard it with `dump()` or `destroy()`. */
  body: UpstreamBody;
}

/** The body of an `UpstreamResponse`: a Node stream, with methods that read all of it. */
export interface UpstreamBody extends Readable {
  text(): Promise<string>;
  json(): Promise<unknown>;
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array>;
  arrayBuffer(): Promise<ArrayBuffer>;
  /** Reads and discards the rest, up to `limit` bytes (default: 131072). If there is more, the socket is closed. */
  dump(options?: { limit?: number; signal?: AbortSignal }): Promise<void>;
  readonly bodyUsed: boolean;
}

/** What has happened at one origin, or at one address of its name. */
export interface EndpointStats {
  origin: string;
  /** Present if the name of the origin has several addresses. */
  address?: string;
  /** Requests that were sent there. Each try counts. */
  requests: number;
  /** Tries that failed: no answer, a broken one, 502, 503 or 504. */
  failures: number;
  /** Requests that are under way or wait for a socket. */
  inFlight: number;
  /** Whether it gets no calls at present, because it has failed several times in a row. */
  ejected: boolean;
  /** How often it has been ejected. */
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
   * How often a call was sent again because the kept socket to which it was written was dead. The upstream had not seen the
   * call, so a replay is not a retry: it costs none.
   */
  replays: number;
  /**
   * Tries that ended because the connection broke: on a socket's first request, or on a reused socket. Many resets of reused
   * sockets mean that the upstream, or a proxy in front of it, closes idle sockets sooner than this client does.
   */
  resets: { first: number; reused: number };
  /** The retries that are left. It starts at 10; a retry costs 1, a success gives back 0.1, and 10 s give back 1. */
  budget: number;
  /** The longest time in ms that an unused socket is kept at present, and whether it was learned from an upstream. */
  keepAlive: { limit: number; learned: boolean };
  /** One for each origin, or one for each address where the name of an origin has several. */
  endpoints: EndpointStats[];
}

/** A client for one upstream, from `upstream()`. */
export interface Upstream {
  /** The first of them, where there are several. */
  readonly origin: string;
  /**
   * Fetches `path` from the upstream for `req`. The call is aborted when that request is over, the upstream is told how
   * much time is left, and a failed try is repeated where that is safe. Outside of a request, `req` is `null`.
   *
   * @param req - The Express request for which the call is made, or `null`.
   * @param path - Path and query, beginning with `/`. It can never lead to another origin.
   * @returns A WHATWG `Response` (undici's), whatever its status. A body that has not been read when the request is over is
   *   discarded. Outside of a request, read or cancel each body.
   * @throws {HangupError} the reason for which the request was aborted, before or while the call waits.
   * @throws {TypeError} `fetch failed`, as fetch does; its `cause` names the origin and the try.
   */
  readonly fetch: (
    req: IncomingMessage | null,
    path: string,
    init?: UpstreamRequestInit,
  ) => Promise<Response>;
  /**
   * Does the same with undici's `request()`, for less than half of the CPU time. It follows no redirects, decodes no body and
   * makes no `Response`.
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
  /** Closes each socket once the calls under way have ended. Later calls are refused. Resolves when all are closed. */
  readonly close: () => Promise<void>;
}
