/** Every `code` that `classifyError()` can give. `docs/errors.md` has a heading for each. */
export type FaultCode =
  | 'DEADLINE_EXCEEDED'
  | 'UPSTREAM_TIMEOUT'
  | 'OPERATION_ABORTED'
  | 'UPSTREAM_RESET'
  | 'UPSTREAM_REFUSED'
  | 'UPSTREAM_UNREACHABLE'
  | 'UPSTREAM_INVALID_RESPONSE'
  | 'RESPONSE_STALLED'
  | 'CLIENT_CLOSED_REQUEST'
  | 'SERVER_DRAINING'
  | 'RESPONSE_DESTROYED';

/** A line of the app. */
export interface CallSite {
  /** The file's path, also for an ES module. */
  file: string;
  /** Counted from 1, as editors do. */
  line: number;
  column: number;
}

/** The upstream that failed, as `upstream()` and `hangupProxy()` know it; with `diagnose()` on, more fields are set. */
export interface UpstreamInfo {
  /** Scheme, host and port, `http://users:3001`. Never a path. */
  origin: string;
  /** The phase that the call had reached. */
  phase?: 'queue' | 'dns' | 'connect' | 'tls' | 'sending' | 'waiting' | 'body';
  /** What ended the call: the name of a timer, `fin`, `rst`, `refused`, `parse-error`, … */
  trigger?: string;
  /** Whether the socket had carried a request before: a reset of a reused, idle socket is the stale keep-alive race. */
  reusedSocket?: boolean;
  /** How long the socket had been idle before this request, in milliseconds. */
  idleMs?: number;
  /** How many requests the socket had carried, this one included. */
  requestsOnSocket?: number;
  /** 1 for the first try, 2 for the first retry. */
  attempt?: number;
  /** A short stable code in the spirit of HAProxy's termination states. */
  verdict?: string;
  /** One sentence of advice, if the pattern is known; never without `evidence`. */
  advice?: string;
  /** The numbers from which the advice was concluded. */
  evidence?: string;
  /** The line of the app that made the call. */
  where?: CallSite;
}

/** A fault of the gateway kind: this server could not get the answer that it was asked for. */
export interface GatewayFault {
  code: FaultCode;
  /** The HTTP status for it: 504, 502, 503, or 499 where the client is gone. */
  status: number;
  /** A short, constant summary, safe to show to any client. */
  title: string;
  /** One sentence about this kind of fault; constant too, without host, path or message. */
  detail: string;
  /** The error as it was thrown. */
  cause: unknown;
  upstream?: UpstreamInfo;
}

const TABLE: Record<FaultCode, readonly [status: number, title: string, detail: string]> = {
  DEADLINE_EXCEEDED: [504, 'Gateway Timeout', 'The request could not be answered within its deadline.'],
  UPSTREAM_TIMEOUT: [504, 'Gateway Timeout', 'A service that this server depends on did not answer in time.'],
  OPERATION_ABORTED: [504, 'Gateway Timeout', 'An operation that the answer depends on was given up.'],
  UPSTREAM_RESET: [502, 'Bad Gateway', 'A service that this server depends on closed the connection.'],
  UPSTREAM_REFUSED: [502, 'Bad Gateway', 'A service that this server depends on refused the connection.'],
  UPSTREAM_UNREACHABLE: [502, 'Bad Gateway', 'A service that this server depends on could not be reached.'],
  UPSTREAM_INVALID_RESPONSE: [
    502,
    'Bad Gateway',
    'A service that this server depends on gave an invalid response.',
  ],
  RESPONSE_STALLED: [504, 'Gateway Timeout', 'The response made no progress.'],
  CLIENT_CLOSED_REQUEST: [
    499,
    'Client Closed Request',
    'The client closed the connection before it was answered.',
  ],
  SERVER_DRAINING: [503, 'Service Unavailable', 'This server is shutting down. Please try again.'],
  RESPONSE_DESTROYED: [
    500,
    'Response Destroyed',
    'This server destroyed the response before it was complete.',
  ],
};

/** All codes, in the order of the table in `docs/reference.md`. */
export const FAULT_CODES = Object.keys(TABLE) as FaultCode[];

function withoutCause(this: GatewayFault): Omit<GatewayFault, 'cause'> {
  const { code, status, title, detail, upstream } = this;
  return { code, status, title, detail, ...(upstream && { upstream }) };
}

/** Makes the fault that belongs to a code. */
export function gatewayFault(code: FaultCode, cause: unknown, upstream?: UpstreamInfo): GatewayFault {
  const [status, title, detail] = TABLE[code];
  const fault: GatewayFault = { code, status, title, detail, cause };
  if (upstream) fault.upstream = upstream;
  // Loggers call toJSON(). It leaves the cause out, because axios's errors carry the request's Authorization header.
  Object.defineProperty(fault, 'toJSON', { value: withoutCause });
  return fault;
}
