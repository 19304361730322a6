import type { IncomingMessage } from 'node:http';
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
  /** The largest number of sockets; calls beyond it wait for their turn. Default: `Infinity`. */
  connections?: number;
  /**
   * How to connect: options of Node's `tls.connect()` and `net.connect()` (`ca`, `cert`, `key`, `servername`,
   * `socketPath`, …), and `timeout`, the longest time that connecting may take in ms (default: 10000).
   */
  connect?: ConnectionOptions & { socketPath?: string; timeout?: number };
}

/** What `fetch()` takes: all that WHATWG fetch takes, and what only concerns this one call. */
export interface UpstreamRequestInit extends Omit<RequestInit, 'body' | 'dispatcher'> {
  /** As for fetch; streams and async iterables need no `duplex`. What can be read only once is never sent again. */
  body?: RequestInit['body'] | AsyncIterable<Uint8Array>;
  /**
   * Whether the call may be sent twice although the first may have had its effect. Default: true for GET, HEAD, OPTIONS,
   * PUT and DELETE, and for all that carries an `Idempotency-Key` header.
   */
  idempotent?: boolean;
  /** As the option of `upstream()`, for this call. */
  retries?: number;
  /** As the option of `upstream()`, for this call. */
  attempt?: number | false;
}

/** What has happened so far, from `stats()`. */
export interface UpstreamStats {
  origin: string;
  /** Calls of `fetch()`. */
  requests: number;
  /** How often a call was sent again. */
  retries: number;
  /**
   * Tries that ended because the connection broke: on a socket's first request, or on a reused one. Many resets of reused
   * sockets say that the upstream (or something before it) drops idle sockets earlier than they are given up here.
   */
  resets: { first: number; reused: number };
  /** The retries that are left: 10 at first, a retry costs 1, a success gives 0.1. */
  budget: number;
  /** The longest time in ms that an unused socket is kept at present, and whether the upstream has taught it. */
  keepAlive: { limit: number; learned: boolean };
}

/** A client for one upstream, from `upstream()`. */
export interface Upstream {
  readonly origin: string;
  /**
   * Fetches `path` from the upstream on behalf of `req`: stops when that request is over, tells the upstream how much
   * time is left, and sends again what can be. Outside of a request, `req` is `null`.
   *
   * @param req - The Express request for which it is done, or `null`.
   * @param path - Path and query, beginning with `/`. It can never lead to another origin.
   * @returns A WHATWG `Response` (undici's), whatever its status.
   * @throws {HangupError} the reason for which the request was aborted, before or while the call waits.
   * @throws {TypeError} `fetch failed`, as fetch does; its `cause` names the origin and the try.
   */
  readonly fetch: (
    req: IncomingMessage | null,
    path: string,
    init?: UpstreamRequestInit,
  ) => Promise<Response>;
  /** What has happened so far. */
  readonly stats: () => UpstreamStats;
  /** Closes the sockets once what is under way has ended; later calls are refused. Resolves when all are closed. */
  readonly close: () => Promise<void>;
}
