/**
 * The reasons for which a request ends before its answer. Recognise them by `code` (or `name` and `status`), never by
 * `instanceof`: that fails if two versions of this package are installed.
 */

/** The `code` of every reason that `req.signal` can carry. */
export type HangupCode =
  | 'CLIENT_CLOSED_REQUEST'
  | 'DEADLINE_EXCEEDED'
  | 'RESPONSE_STALLED'
  | 'SERVER_DRAINING'
  | 'RESPONSE_DESTROYED';

/** ES2022's `ErrorOptions`, for users who compile for an older standard. */
export interface ErrorCause {
  cause?: unknown;
}

/** What all reasons have: a stable `code`, and the HTTP `status` for the client or the access log. */
export abstract class HangupError extends Error {
  abstract readonly code: HangupCode;
  abstract readonly status: number;
  /** The same as `status`, under the name that http-errors and others read. */
  get statusCode(): number {
    return this.status;
  }
  /**
   * `false`: the message is not for the client. http-errors uses this name, and NestJS uses the status of an error only if
   * the error has this property.
   */
  get expose(): boolean {
    return false;
  }
}

/** The client went away before the handler had ended the response. 499 is nginx's log status for it; nobody receives it. */
export class ClientClosedRequestError extends HangupError {
  override readonly name = 'AbortError';
  readonly code = 'CLIENT_CLOSED_REQUEST';
  readonly status = 499;

  constructor(
    message = 'The client closed the connection before the response was complete',
    options?: ErrorCause,
  ) {
    super(message, options);
  }
}

/** The request's deadline passed before its response had started (or, with `until: 'finish'`, had ended). RFC 9110, 15.6.5. */
export class DeadlineExceededError extends HangupError {
  override readonly name = 'TimeoutError';
  readonly code = 'DEADLINE_EXCEEDED';
  readonly status = 504;
  /** The deadline that was exceeded, in milliseconds from the request's arrival. */
  readonly timeout: number;

  constructor(timeout: number, options?: ErrorCause) {
    super(`The request's deadline of ${Math.round(timeout)} ms has passed`, options);
    this.timeout = timeout;
  }
}

/** The response had begun and was then silent for longer than `stall`. */
export class ResponseStalledError extends HangupError {
  override readonly name = 'TimeoutError';
  readonly code = 'RESPONSE_STALLED';
  readonly status = 504;
  /** The longest silence that was allowed, in milliseconds. */
  readonly stall: number;

  constructor(stall: number, options?: ErrorCause) {
    super(`The response made no progress for ${stall} ms`, options);
    this.stall = stall;
  }
}

/** The server is shutting down, and the time for the requests that still ran is up. RFC 9110, 15.6.4. */
export class ServerDrainingError extends HangupError {
  override readonly name = 'AbortError';
  readonly code = 'SERVER_DRAINING';
  readonly status = 503;

  constructor(message = 'The server is shutting down', options?: ErrorCause) {
    super(message, options);
  }
}

/**
 * This process destroyed the response itself: `res.destroy()`, `server.closeAllConnections()`, `server.timeout`.
 * The client is not to blame, and nobody is left to answer.
 */
export class ResponseDestroyedError extends HangupError {
  override readonly name = 'AbortError';
  readonly code = 'RESPONSE_DESTROYED';
  readonly status = 500;

  constructor(message = 'The response was destroyed by this server', options?: ErrorCause) {
    super(message, options);
  }
}
