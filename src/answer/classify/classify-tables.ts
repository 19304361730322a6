import type { ErrorFacts } from './error-chain';
import type { FaultCode } from '../fault';

/** The fault that a code stands for: always the same, or one that depends on the rest of the error. */
export type Rule = FaultCode | ((error: ErrorFacts) => FaultCode | undefined);

/** Rules by code, name or message. A Map, because an error's code may well be `constructor`. */
export type Rules = ReadonlyMap<string, Rule>;

const rules = (table: Record<string, Rule>): Rules => new Map(Object.entries(table));
const when = (condition: boolean, code: FaultCode): FaultCode | undefined => (condition ? code : undefined);

const TIMEOUT = 'UPSTREAM_TIMEOUT';
const ABORTED = 'OPERATION_ABORTED';
const RESET = 'UPSTREAM_RESET';
const REFUSED = 'UPSTREAM_REFUSED';
const UNREACHABLE = 'UPSTREAM_UNREACHABLE';
const INVALID = 'UPSTREAM_INVALID_RESPONSE';

/** The system calls that are made on sockets. */
export const SOCKET_CALLS: ReadonlySet<string> = new Set(
  'connect read write writev shutdown send sendmsg recv recvmsg'.split(' '),
);

/** Errors of a socket. Clients often copy the code to their own error and leave `syscall` in the cause. */
export const SOCKET_CODES = rules({
  ETIMEDOUT: TIMEOUT,
  ECONNRESET: RESET,
  EPIPE: RESET,
  ENETRESET: RESET,
  ENOTCONN: RESET,
  // With a system call it is the kernel's own (Windows). Otherwise axios and superagent use it for their own
  // timeout, and body-parser and Express's sendFile for a client that has left.
  ECONNABORTED: ({ syscall, message }) => (syscall === '' ? when(/timeout/i.test(message), TIMEOUT) : RESET),
  ECONNREFUSED: REFUSED,
  EHOSTUNREACH: UNREACHABLE,
  EHOSTDOWN: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ENETDOWN: UNREACHABLE,
  EPROTO: UNREACHABLE,
});

/** Codes with this meaning only for `connect`: a missing Unix socket, a firewall, no local port left. */
export const CONNECT_CODES = rules({
  ENOENT: UNREACHABLE,
  EACCES: UNREACHABLE,
  EPERM: UNREACHABLE,
  EADDRNOTAVAIL: UNREACHABLE,
  EAGAIN: REFUSED,
});

/** Codes with this meaning only for a name lookup (`getaddrinfo`, `queryA` and similar calls). */
export const LOOKUP_CODES = rules({
  ECANCELLED: ABORTED,
  ECONNREFUSED: UNREACHABLE,
  EBADNAME: UNREACHABLE,
  EBADRESP: UNREACHABLE,
  EFORMERR: UNREACHABLE,
  ENODATA: UNREACHABLE,
  EREFUSED: UNREACHABLE,
  ESERVFAIL: UNREACHABLE,
});

/** Codes that mean the same wherever they turn up. */
export const CODES = rules({
  // Name lookups. EAI_AGAIN may be a resolver's timeout or another failure, so it counts as a failed lookup.
  EAI_AGAIN: UNREACHABLE,
  EAI_FAIL: UNREACHABLE,
  EAI_NODATA: UNREACHABLE,
  EAI_NONAME: UNREACHABLE,
  ENOTFOUND: UNREACHABLE,
  ETIMEOUT: TIMEOUT,

  // Node: https://nodejs.org/api/errors.html
  ERR_SOCKET_CONNECTION_TIMEOUT: TIMEOUT,
  ERR_TLS_HANDSHAKE_TIMEOUT: TIMEOUT,
  ERR_STREAM_PREMATURE_CLOSE: RESET,
  ERR_SOCKET_CLOSED_BEFORE_CONNECTION: RESET,
  ERR_HTTP2_STREAM_ERROR: RESET,
  ERR_HTTP2_SESSION_ERROR: RESET,
  ERR_HTTP2_GOAWAY_SESSION: RESET,
  ERR_HTTP2_PING_CANCEL: RESET,
  ERR_HTTP2_INVALID_SESSION: RESET,
  ERR_HTTP2_ERROR: INVALID,
  ERR_PROXY_TUNNEL: UNREACHABLE,
  HPE_INVALID_EOF_STATE: RESET,

  // TLS certificates: https://nodejs.org/api/tls.html#x509-certificate-error-codes
  ERR_TLS_CERT_ALTNAME_INVALID: UNREACHABLE,
  ...certificateRules(),

  // undici, and with it global fetch and ky
  UND_ERR_CONNECT_TIMEOUT: TIMEOUT,
  UND_ERR_HEADERS_TIMEOUT: TIMEOUT,
  UND_ERR_BODY_TIMEOUT: TIMEOUT,
  // `bad response`, `bad upgrade`, `bad connect`: the upstream's response does not fit the request.
  UND_ERR_SOCKET: ({ message }) => (message.startsWith('bad ') ? INVALID : RESET),
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: RESET,
  UND_ERR_INFO: ({ message }) => when(message.startsWith('HTTP/2: '), RESET),
  // RetryAgent could not resume a body that was cut. If there is an error status, it is the upstream's own answer.
  UND_ERR_REQ_RETRY: ({ status }) => when(status !== undefined && status < 400, RESET),
  UND_ERR_DESTROYED: ABORTED,
  UND_ERR_BPL_MISSING_UPSTREAM: UNREACHABLE,
  UND_ERR_PRX_TLS: UNREACHABLE,
  UND_ERR_PRX_CONN: UNREACHABLE,
  UND_ERR_HEADERS_OVERFLOW: INVALID,
  UND_ERR_RES_EXCEEDED_MAX_SIZE: INVALID,

  // axios
  ERR_CANCELED: ABORTED,
  ERR_BAD_RESPONSE: ({ message }) =>
    message === 'stream has been aborted'
      ? RESET
      : when(message.startsWith('maxContentLength size'), INVALID),

  // got. Node has the same code for a body that the app itself writes (`strictContentLength`).
  ERR_HTTP_CONTENT_LENGTH_MISMATCH: ({ message }) =>
    when(message.startsWith('Content-Length mismatch'), RESET),

  // superagent, request, make-fetch-happen
  ABORTED: ({ message }) => when(message === 'Aborted', ABORTED),
  ETOOLARGE: ({ message }) => when(message === 'Maximum response size reached', INVALID),
  ESOCKETTIMEDOUT: TIMEOUT,
  EIDLETIMEOUT: TIMEOUT,

  // PostgreSQL's SQLSTATE (appendix A of its manual), and the codes of the `postgres` package
  // A statement timeout; or pg_cancel_backend(), a CancelRequest.
  '57014': ({ message }) => (message.endsWith('due to user request') ? ABORTED : TIMEOUT),
  '57P01': RESET,
  '57P02': RESET,
  '57P03': UNREACHABLE,
  '08001': UNREACHABLE,
  '08003': RESET,
  '08004': REFUSED,
  '08006': RESET,
  '53300': REFUSED,
  CONNECT_TIMEOUT: TIMEOUT,
  CONNECTION_CLOSED: RESET,

  // mysql2
  PROTOCOL_SEQUENCE_TIMEOUT: TIMEOUT,
  ER_QUERY_TIMEOUT: TIMEOUT,
  PROTOCOL_CONNECTION_LOST: RESET,
  ER_SERVER_SHUTDOWN: RESET,
  ER_CON_COUNT_ERROR: REFUSED,
  // KILL QUERY
  ER_QUERY_INTERRUPTED: ABORTED,

  // mariadb
  ER_CONNECTION_TIMEOUT: TIMEOUT,
  ER_SOCKET_TIMEOUT: TIMEOUT,
  ER_STATEMENT_TIMEOUT: TIMEOUT,
  ER_SOCKET_UNEXPECTED_CLOSE: RESET,
  ER_CMD_CONNECTION_CLOSED: RESET,

  // Prisma: https://www.prisma.io/docs/orm/reference/error-reference
  P1001: UNREACHABLE,
  P1002: TIMEOUT,
  P1008: TIMEOUT,
  P1017: RESET,
  P2024: TIMEOUT,
  // Its own limits for getting a connection for a transaction, and for the transaction.
  P2028: ({ message }) =>
    when(/Unable to start a transaction in the given time|expired transaction/.test(message), TIMEOUT),
  P2037: REFUSED,
  // The causes that its driver adapters (`@prisma/adapter-pg`) tell
  ConnectionClosed: RESET,
  DatabaseNotReachable: UNREACHABLE,
  SocketTimeout: TIMEOUT,
  TlsConnectionError: UNREACHABLE,
  TooManyConnections: REFUSED,
});

/** Families of codes, by how they begin. */
export const CODE_PREFIXES: readonly (readonly [prefix: string, code: FaultCode])[] = [
  ['HPE_', INVALID],
  ['ERR_SSL_', UNREACHABLE],
];

/** The `type` that node-fetch and make-fetch-happen give to errors without a code. */
export const FETCH_ERROR_TYPES = rules({
  'request-timeout': TIMEOUT,
  'body-timeout': TIMEOUT,
  'max-size': INVALID,
});

/** The exact messages of errors that can be recognised by nothing else. */
export const MESSAGES = rules({
  // pg
  'timeout expired': TIMEOUT,
  'Query read timeout': TIMEOUT,
  'timeout exceeded when trying to connect': TIMEOUT,
  'Connection terminated due to connection timeout': TIMEOUT,
  'Connection terminated unexpectedly': RESET,
  'Client has encountered a connection error and is not queryable': RESET,
  // ioredis
  'Command timed out': TIMEOUT,
  'Connection is closed.': RESET,
  "Stream isn't writeable and enableOfflineQueue options is false": UNREACHABLE,
  // node-redis
  'Socket closed unexpectedly': RESET,
  'Connection timeout': TIMEOUT,
  'The client is closed': UNREACHABLE,
  'The client is offline': UNREACHABLE,
  // MariaDB's max_statement_time, for which mysql2 has no code
  'Query execution was interrupted (max_statement_time exceeded)': TIMEOUT,
});

/** Names that identify a fault as surely as a code does. */
export const NAMES = rules({
  // undici's; it has no code in 7 and 8. A chunked body that ends early gives this error if the connection was to
  // be closed.
  HTTPParserError: ({ message }) => (message.includes('Invalid EOF state') ? RESET : INVALID),
  MongoNetworkTimeoutError: TIMEOUT,
  MongoOperationTimeoutError: TIMEOUT,
  MongoWaitQueueTimeoutError: TIMEOUT,
  // ky and @elastic/transport. The TimeoutError of other libraries is in GENERAL.
  TimeoutError: ({ message }) => when(/^Request timed out(?:: |$)/.test(message), TIMEOUT),
});

/** Names and codes that wrap a more specific error. They count only if the chain has no more specific error. */
export const GENERAL = rules({
  AbortError: ABORTED,
  TimeoutError: ABORTED,
  MongoNetworkError: RESET,
  MongoServerSelectionError: UNREACHABLE,
  MongoPoolClearedError: RESET,
  MongoNotConnectedError: UNREACHABLE,
  MongoTopologyClosedError: UNREACHABLE,
  MongooseServerSelectionError: UNREACHABLE,
  MaxRetriesPerRequestError: UNREACHABLE,
  // @elastic/transport
  NoLivingConnectionsError: UNREACHABLE,
  RequestAbortedError: ABORTED,
  // A pool's acquire timeout. If the error gives the reason why there was no connection, that reason decides.
  KnexTimeoutError: TIMEOUT,
  SequelizeConnectionAcquireTimeoutError: TIMEOUT,
  SequelizeConnectionTimedOutError: TIMEOUT,
  SequelizeConnectionRefusedError: REFUSED,
  SequelizeHostNotFoundError: UNREACHABLE,
  SequelizeHostNotReachableError: UNREACHABLE,
  ER_GET_CONNECTION_TIMEOUT: TIMEOUT,
  ERR_HTTP2_STREAM_CANCEL: RESET,
});

function certificateRules(): Record<string, Rule> {
  const codes = `
    UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_CRL UNABLE_TO_DECRYPT_CERT_SIGNATURE UNABLE_TO_DECRYPT_CRL_SIGNATURE
    UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY CERT_SIGNATURE_FAILURE CRL_SIGNATURE_FAILURE CERT_NOT_YET_VALID CERT_HAS_EXPIRED
    CRL_NOT_YET_VALID CRL_HAS_EXPIRED ERROR_IN_CERT_NOT_BEFORE_FIELD ERROR_IN_CERT_NOT_AFTER_FIELD
    ERROR_IN_CRL_LAST_UPDATE_FIELD ERROR_IN_CRL_NEXT_UPDATE_FIELD DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY UNABLE_TO_VERIFY_LEAF_SIGNATURE CERT_CHAIN_TOO_LONG CERT_REVOKED INVALID_CA
    PATH_LENGTH_EXCEEDED INVALID_PURPOSE CERT_UNTRUSTED CERT_REJECTED HOSTNAME_MISMATCH`;
  return Object.fromEntries(
    codes
      .trim()
      .split(/\s+/)
      .map((code) => [code, UNREACHABLE]),
  );
}
