import { classifyError, DeadlineExceededError, type FaultCode } from 'express-hangup';
import createError from 'http-errors';
import { rememberUpstream } from '../../src/answer/upstream-info';

/** An error as a library would make it. */
function error(message: string, properties: object = {}): Error {
  const { cause, ...rest } = properties as { cause?: unknown };
  return Object.assign(new Error(message, cause === undefined ? {} : { cause }), rest);
}

function system(syscall: string, code: string): Error {
  return error(`${syscall} ${code}`, { code, syscall, errno: -1 });
}

/** What global fetch makes of an error. */
function fetchFailed(cause: unknown): Error {
  return new TypeError('fetch failed', { cause });
}

const codeOf = (thrown: unknown) => classifyError(thrown)?.code;

type Row = [what: string, thrown: unknown];

const FAULTS: Partial<Record<FaultCode, Row[]>> = {
  UPSTREAM_TIMEOUT: [
    ['a timeout by hand, with the code that docs/errors.md asks for', error('x', { code: 'ETIMEDOUT' })],
    ['a kernel that gives up on connecting', system('connect', 'ETIMEDOUT')],
    ['a kernel that gives up on reading', system('read', 'ETIMEDOUT')],
    [
      'two addresses that time out',
      Object.assign(
        new AggregateError([system('connect', 'ETIMEDOUT'), system('connect', 'ECONNREFUSED')], ''),
        { code: 'ETIMEDOUT' },
      ),
    ],
    ['a name server that does not answer', system('queryA', 'ETIMEOUT')],
    ['a TLS handshake that takes too long', error('x', { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' })],
    [
      "undici's connect timeout",
      error('x', { name: 'ConnectTimeoutError', code: 'UND_ERR_CONNECT_TIMEOUT' }),
    ],
    ["undici's headers timeout in fetch", fetchFailed(error('x', { code: 'UND_ERR_HEADERS_TIMEOUT' }))],
    ["undici's body timeout", error('x', { code: 'UND_ERR_BODY_TIMEOUT' })],
    [
      "axios's timeout",
      error('timeout of 50ms exceeded', { name: 'AxiosError', code: 'ECONNABORTED', isAxiosError: true }),
    ],
    [
      "axios's timeout with clarifyTimeoutError",
      error('timeout of 50ms exceeded', { code: 'ETIMEDOUT', isAxiosError: true }),
    ],
    [
      "superagent's timeout",
      error('Timeout of 50ms exceeded', { code: 'ECONNABORTED', errno: 'ETIME', timeout: 50 }),
    ],
    [
      "got's timeout",
      error("Timeout awaiting 'request' for 50ms", {
        name: 'TimeoutError',
        code: 'ETIMEDOUT',
        event: 'request',
      }),
    ],
    ["ky's timeout", error('Request timed out: GET http://u/', { name: 'TimeoutError', request: {} })],
    [
      "node-fetch 2's timeout",
      error('network timeout at: u', { name: 'FetchError', type: 'request-timeout' }),
    ],
    [
      "make-fetch-happen's timeout",
      error('network timeout at: u', { name: 'FetchError', code: 'FETCH_ERROR', type: 'body-timeout' }),
    ],
    ["request's timeout", error('ESOCKETTIMEDOUT', { code: 'ESOCKETTIMEDOUT' })],
    [
      "gRPC's DEADLINE_EXCEEDED",
      error('4 DEADLINE_EXCEEDED', { code: 4, details: 'Deadline exceeded after 0.1s', metadata: {} }),
    ],
    ["pg's connect timeout", error('timeout expired')],
    [
      "pg's pool timeout",
      error('Connection terminated due to connection timeout', {
        cause: error('Connection terminated unexpectedly'),
      }),
    ],
    ["pg's wait for a free connection", error('timeout exceeded when trying to connect')],
    ["pg's query timeout", error('Query read timeout')],
    [
      "PostgreSQL's statement timeout",
      error('canceling statement due to statement timeout', {
        name: 'error',
        code: '57014',
        severity: 'ERROR',
      }),
    ],
    ["ioredis's command timeout", error('Command timed out')],
    [
      "mysql2's connect timeout",
      error('connect ETIMEDOUT', { code: 'ETIMEDOUT', syscall: 'connect', fatal: true }),
    ],
    ["mysql2's query timeout", error('x', { code: 'PROTOCOL_SEQUENCE_TIMEOUT' })],
    [
      "mongodb's server selection timeout",
      error('timed out', {
        name: 'MongoServerSelectionError',
        cause: error('timed out', { name: 'MongoNetworkTimeoutError' }),
      }),
    ],
    ["mongodb's timeoutMS", error('timed out', { name: 'MongoOperationTimeoutError' })],
    ["MongoDB's maxTimeMS", error('operation exceeded time limit', { name: 'MongoServerError', code: 50 })],
  ],
  CLIENT_CLOSED_REQUEST: [
    ["body-parser's", createError(400, 'request aborted', { code: 'ECONNABORTED', type: 'request.aborted' })],
    ["Express's sendFile", error('Request aborted', { code: 'ECONNABORTED' })],
    ["formidable's", error('Request aborted', { code: 1002, httpCode: 400 })],
  ],
  OPERATION_ABORTED: [
    ['abort() without a reason', new DOMException('This operation was aborted', 'AbortError')],
    ['AbortSignal.timeout()', new DOMException('The operation was aborted due to timeout', 'TimeoutError')],
    [
      "Node's AbortError",
      error('The operation was aborted', {
        name: 'AbortError',
        code: 'ABORT_ERR',
        cause: new Error('enough'),
      }),
    ],
    ["undici's AbortError", error('Request aborted', { name: 'AbortError', code: 'UND_ERR_ABORTED' })],
    [
      "axios's CanceledError",
      error('canceled', { name: 'CanceledError', code: 'ERR_CANCELED', isAxiosError: true }),
    ],
    [
      "got's AbortError",
      error('This operation was aborted.', { name: 'AbortError', code: 'ERR_ABORTED', cause: {} }),
    ],
    [
      "got's TimeoutError from AbortSignal.timeout()",
      error('x', { name: 'TimeoutError', code: 'ETIMEDOUT', cause: new DOMException('x', 'TimeoutError') }),
    ],
    [
      "node-fetch's AbortError",
      error('The user aborted a request.', { name: 'AbortError', type: 'aborted' }),
    ],
    [
      "make-fetch-happen's AbortError",
      error('x', { name: 'AbortError', code: 'FETCH_ABORTED', type: 'aborted' }),
    ],
    ["superagent's abort", error('Aborted', { code: 'ABORTED' })],
    ["p-timeout's TimeoutError", error('Promise timed out after 50 milliseconds', { name: 'TimeoutError' })],
    ['a destroyed undici client', error('The client is destroyed', { code: 'UND_ERR_DESTROYED' })],
    ['a cancelled name lookup', system('queryA', 'ECANCELLED')],
    ["gRPC's own cancel", error('1 CANCELLED', { code: 1, details: 'Cancelled on client', metadata: {} })],
  ],
  UPSTREAM_RESET: [
    ['a reset', system('read', 'ECONNRESET')],
    ['socket hang up', error('socket hang up', { code: 'ECONNRESET' })],
    ['a response broken off', error('aborted', { code: 'ECONNRESET' })],
    ['a broken pipe', system('write', 'EPIPE')],
    ["Windows' reset", system('read', 'ECONNABORTED')],
    [
      'a handshake cut short',
      error('Client network socket disconnected before secure TLS connection was established', {
        code: 'ECONNRESET',
      }),
    ],
    ['a stream closed early', error('Premature close', { code: 'ERR_STREAM_PREMATURE_CLOSE' })],
    [
      'undici: other side closed',
      fetchFailed(error('other side closed', { name: 'SocketError', code: 'UND_ERR_SOCKET' })),
    ],
    ['undici: a body shorter than announced', error('x', { code: 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' })],
    [
      'undici: chunks that end early',
      error('Response does not match the HTTP/1.1 protocol (Invalid EOF state)', { name: 'HTTPParserError' }),
    ],
    [
      'undici: a broken HTTP/2 stream',
      error('HTTP/2: "stream error" received - code 8', { code: 'UND_ERR_INFO' }),
    ],
    [
      'undici: a body that could not be resumed',
      error('Content-Range mismatch', { code: 'UND_ERR_REQ_RETRY', statusCode: 200 }),
    ],
    ['a parser at an early end', error('Parse Error', { code: 'HPE_INVALID_EOF_STATE' })],
    [
      "axios's truncated body",
      error('stream has been aborted', {
        code: 'ERR_BAD_RESPONSE',
        isAxiosError: true,
        status: 200,
        response: {},
      }),
    ],
    [
      "axios's truncated body of a 503",
      error('stream has been aborted', {
        code: 'ERR_BAD_RESPONSE',
        isAxiosError: true,
        status: 503,
        response: {},
      }),
    ],
    [
      "axios's truncated body of a 404",
      error('stream has been aborted', { code: 'ERR_BAD_RESPONSE', status: 404, response: {} }),
    ],
    [
      "axios's fetch adapter in the body",
      new TypeError('terminated', {
        cause: new TypeError('terminated', { cause: system('read', 'ECONNRESET') }),
      }),
    ],
    [
      "got 16's truncated body",
      error('Content-Length mismatch: expected 10 bytes, received 5 bytes', {
        name: 'ReadError',
        code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
      }),
    ],
    [
      'an HTTP/2 stream error',
      error('Stream closed with error code NGHTTP2_CANCEL', { code: 'ERR_HTTP2_STREAM_ERROR' }),
    ],
    ['an HTTP/2 GOAWAY', error('x', { code: 'ERR_HTTP2_GOAWAY_SESSION' })],
    [
      'an HTTP/2 stream cancelled before it began',
      error('The pending stream has been canceled', { code: 'ERR_HTTP2_STREAM_CANCEL' }),
    ],
    [
      'a gRPC server killed in mid-call',
      error('1 CANCELLED', { code: 1, details: 'Call cancelled', metadata: {} }),
    ],
    [
      'a gRPC connection reset',
      error('14 UNAVAILABLE', {
        code: 14,
        details: 'No connection established. Last error: Error: read ECONNRESET',
        metadata: {},
      }),
    ],
    [
      'a gRPC stream reset',
      error('13 INTERNAL', { code: 13, details: 'Received RST_STREAM with code 2', metadata: {} }),
    ],
    ["pg's lost connection", error('Connection terminated unexpectedly')],
    [
      'a PostgreSQL that shuts down',
      error('terminating connection due to administrator command', { code: '57P01' }),
    ],
    [
      "pg's connection after its loss",
      error('Client has encountered a connection error and is not queryable'),
    ],
    ["mysql2's lost connection", error('x', { code: 'PROTOCOL_CONNECTION_LOST', fatal: true })],
    ["ioredis's closed connection", error('Connection is closed.')],
    [
      "mongodb's closed connection",
      error('connection 3 to 127.0.0.1:27017 closed', { name: 'MongoNetworkError' }),
    ],
  ],
  UPSTREAM_REFUSED: [
    ['a closed port', system('connect', 'ECONNREFUSED')],
    [
      'a closed port on two addresses',
      Object.assign(new AggregateError([system('connect', 'ECONNREFUSED')], ''), { code: 'ECONNREFUSED' }),
    ],
    [
      'an AggregateError without a code',
      new AggregateError([fetchFailed(system('connect', 'ECONNREFUSED'))], 'All promises were rejected'),
    ],
    [
      "axios's fetch adapter",
      error('Network Error', {
        code: 'ERR_NETWORK',
        isAxiosError: true,
        cause: system('connect', 'ECONNREFUSED'),
      }),
    ],
    [
      "ky 2's NetworkError",
      error('x', { name: 'NetworkError', cause: fetchFailed(system('connect', 'ECONNREFUSED')) }),
    ],
    [
      "mongodb's server selection",
      error('x', {
        name: 'MongoServerSelectionError',
        cause: error('x', { name: 'MongoNetworkError', cause: system('connect', 'ECONNREFUSED') }),
      }),
    ],
    [
      'an HTTP/2 stream that waited for a refused connection',
      error('x', { code: 'ERR_HTTP2_STREAM_CANCEL', cause: system('connect', 'ECONNREFUSED') }),
    ],
    [
      'a gRPC server that is down',
      error('14 UNAVAILABLE', {
        code: 14,
        details: 'Last error: Error: connect ECONNREFUSED 127.0.0.1:1',
        metadata: {},
      }),
    ],
    ['a PostgreSQL without a free place', error('sorry, too many clients already', { code: '53300' })],
    [
      "an app's own error around it",
      error('no user', { cause: error('no data', { cause: system('connect', 'ECONNREFUSED') }) }),
    ],
    ['a 503 made of it', createError(503, system('connect', 'ECONNREFUSED'))],
  ],
  UPSTREAM_UNREACHABLE: [
    ['a name that does not exist', system('getaddrinfo', 'ENOTFOUND')],
    [
      "node-fetch's copy of it",
      error('x', { name: 'FetchError', type: 'system', code: 'ENOTFOUND', errno: 'ENOTFOUND' }),
    ],
    ['a name lookup that failed for now', system('getaddrinfo', 'EAI_AGAIN')],
    ['a name server that is down', system('queryA', 'ECONNREFUSED')],
    ['a name server that fails', system('queryAaaa', 'ESERVFAIL')],
    ['a host without a route', system('connect', 'EHOSTUNREACH')],
    ['a network without a route', system('connect', 'ENETUNREACH')],
    ['a firewall that forbids it', system('connect', 'EACCES')],
    ['a Unix socket that is not there', system('connect', 'ENOENT')],
    ['no local port left', system('connect', 'EADDRNOTAVAIL')],
    ['TLS against a plain port', system('write', 'EPROTO')],
    ['OpenSSL', error('x', { code: 'ERR_SSL_WRONG_VERSION_NUMBER', library: 'SSL routines' })],
    ['a self-signed certificate', error('self-signed certificate', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })],
    ['an expired certificate', fetchFailed(error('certificate has expired', { code: 'CERT_HAS_EXPIRED' }))],
    ["another host's certificate", error('x', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })],
    [
      'a gRPC name that does not exist',
      error('14 UNAVAILABLE', { code: 14, details: 'Name resolution failed', metadata: {} }),
    ],
    ["ioredis's retries that ran out", error('x', { name: 'MaxRetriesPerRequestError' })],
    ['ioredis offline', error("Stream isn't writeable and enableOfflineQueue options is false")],
    ['mongodb without a server', error('x', { name: 'MongoServerSelectionError' })],
  ],
  UPSTREAM_INVALID_RESPONSE: [
    ['a parse error', error('Parse Error', { code: 'HPE_INVALID_CONSTANT' })],
    ['headers too large', error('Parse Error: Header overflow', { code: 'HPE_HEADER_OVERFLOW' })],
    ["undici's headers too large", error('x', { code: 'UND_ERR_HEADERS_OVERFLOW' })],
    [
      "undici 7's parse error, which has no code",
      fetchFailed(error('Response does not match the HTTP/1.1 protocol (x)', { name: 'HTTPParserError' })),
    ],
    ['undici: an answer out of turn', error('bad response', { code: 'UND_ERR_SOCKET' })],
    ["undici's body too large", error('x', { code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' })],
    [
      "axios's body too large",
      error('maxContentLength size of 5 exceeded', { code: 'ERR_BAD_RESPONSE', isAxiosError: true }),
    ],
    ["node-fetch's body too large", error('x', { name: 'FetchError', type: 'max-size' })],
    ["superagent's body too large", error('Maximum response size reached', { code: 'ETOOLARGE' })],
    [
      'bad gzip in fetch',
      new TypeError('terminated', {
        cause: error('incorrect header check', { code: 'Z_DATA_ERROR', errno: -3 }),
      }),
    ],
    [
      'bad gzip in node-fetch',
      error('x', { name: 'FetchError', type: 'system', code: 'Z_DATA_ERROR', errno: 'Z_DATA_ERROR' }),
    ],
    [
      'bad gzip in superagent',
      error('incorrect header check', { code: 'Z_DATA_ERROR', errno: -3, response: null }),
    ],
    ['not HTTP/2', error('Protocol error', { code: 'ERR_HTTP2_ERROR', errno: -505 })],
  ],
};

/** Codes that need no more than themselves, and system codes with the call that they come from. */
const BARE_CODES: [FaultCode, string][] = [
  ['UPSTREAM_TIMEOUT', 'ERR_SOCKET_CONNECTION_TIMEOUT EIDLETIMEOUT ER_QUERY_TIMEOUT CONNECT_TIMEOUT'],
  ['UPSTREAM_RESET', 'read:ENETRESET shutdown:ENOTCONN ERR_SOCKET_CLOSED_BEFORE_CONNECTION'],
  ['UPSTREAM_RESET', 'ERR_HTTP2_SESSION_ERROR ERR_HTTP2_PING_CANCEL ERR_HTTP2_INVALID_SESSION'],
  ['UPSTREAM_RESET', '57P02 08003 08006 CONNECTION_CLOSED ER_SERVER_SHUTDOWN'],
  ['UPSTREAM_REFUSED', 'connect:EAGAIN 08004'],
  ['UPSTREAM_UNREACHABLE', 'connect:EHOSTDOWN connect:ENETDOWN connect:EPERM 57P03 08001'],
  ['UPSTREAM_UNREACHABLE', 'queryMx:EBADNAME queryA:EBADRESP queryA:EFORMERR queryA:ENODATA queryA:EREFUSED'],
  ['UPSTREAM_UNREACHABLE', 'getaddrinfo:EAI_FAIL getaddrinfo:EAI_NODATA getaddrinfo:EAI_NONAME'],
  ['UPSTREAM_UNREACHABLE', 'ERR_PROXY_TUNNEL UND_ERR_BPL_MISSING_UPSTREAM UND_ERR_PRX_TLS UND_ERR_PRX_CONN'],
];

describe.each(BARE_CODES)('classifyError() gives %s for', (code, bare) => {
  it.each(bare.split(' '))('the code %s', (what) => {
    const [name = '', syscall = ''] = what.split(':').reverse();
    expect(codeOf(syscall === '' ? error('x', { code: name }) : system(syscall, name))).toBe(code);
  });
});

const NO_FAULTS: Row[] = [
  ['an error of the app', new Error('no such user')],
  ["a TypeError of the app's", new TypeError("Cannot read properties of undefined (reading 'id')")],
  ['"fetch failed" without a cause', new TypeError('fetch failed')],
  ['fetch with a bad port', fetchFailed(new Error('bad port'))],
  [
    'fetch with a bad URL',
    new TypeError('Failed to parse URL from x', { cause: error('Invalid URL', { code: 'ERR_INVALID_URL' }) }),
  ],
  ['fetch with too many redirects', fetchFailed(new Error('redirect count exceeded'))],
  ['a SyntaxError of JSON.parse', new SyntaxError('Unexpected token < in JSON at position 0')],
  ['a missing file', Object.assign(system('open', 'ENOENT'), { path: '/tmp/x' })],
  ['too many open files', system('open', 'EMFILE')],
  ['too many sockets of our own', system('connect', 'EMFILE')],
  ['a child process that timed out', system('spawnSync sleep', 'ETIMEDOUT')],
  ['a file where a lookup would be meant', system('getxattr', 'ENODATA')],
  ["the app's own bad gzip", error('incorrect header check', { code: 'Z_DATA_ERROR', errno: -3 })],
  [
    "the app's own wrong Content-Length",
    error("Response body's content-length of 5 byte(s) does not match", {
      code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
    }),
  ],
  [
    'a body longer than the app announced to undici',
    error('x', { code: 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' }),
  ],
  ['ECONNABORTED of nobody known', error('x', { code: 'ECONNABORTED' })],
  ['ABORTED of nobody known', error('transaction aborted', { code: 'ABORTED' })],
  ['a 404', createError(404, 'no such user')],
  ['a 500', createError(500)],
  [
    'a 502 of the app, whatever its cause',
    createError(502, 'users service failed', { cause: system('connect', 'ECONNREFUSED') }),
  ],
  ['a 404 made of a network error', createError(404, system('getaddrinfo', 'ENOTFOUND'))],
  ['a 413 of body-parser', createError(413, 'request entity too large', { type: 'entity.too.large' })],
  [
    "axios's 503",
    error('Request failed with status code 503', {
      code: 'ERR_BAD_RESPONSE',
      isAxiosError: true,
      status: 503,
      response: {},
    }),
  ],
  [
    "got's 503",
    error('Response code 503', { name: 'HTTPError', code: 'ERR_NON_2XX_3XX_RESPONSE', cause: {} }),
  ],
  ["ky's 503", error('Request failed with status code 503', { name: 'HTTPError', response: {} })],
  ["superagent's 503", error('Service Unavailable', { status: 503, response: {} })],
  ["undici's 503 after retries", error('Request failed', { code: 'UND_ERR_REQ_RETRY', statusCode: 503 })],
  ['gRPC NOT_FOUND', error('5 NOT_FOUND', { code: 5, details: 'no', metadata: {} })],
  ['gRPC INTERNAL of the server', error('13 INTERNAL', { code: 13, details: 'no', metadata: {} })],
  ['a code and details without the metadata of gRPC', error('x', { code: 14, details: 'no' })],
  ['a numeric code that is not MongoDB', error('x', { code: 50 })],
  ['a write to a destroyed stream', error('x', { code: 'ERR_STREAM_DESTROYED' })],
  ['a numeric code that is not gRPC', error('x', { code: 14 })],
  ['a word in a message', new Error('ECONNRESET')],
  ['a code from the prototype of all objects', error('x', { code: 'constructor', name: '__proto__' })],
  ['a string', 'ECONNRESET'],
  ['a number', 504],
  ['a symbol', Symbol('ECONNRESET')],
  ['a bigint', 1n],
  ['null', null],
  ['undefined', undefined],
  ['a cause that is a string', new Error('x', { cause: 'ECONNRESET' })],
];

describe.each(Object.entries(FAULTS))('classifyError() gives %s for', (code, rows) => {
  it.each<Row>(rows)('%s', (_what, thrown) => {
    expect(codeOf(thrown)).toBe(code);
  });
});

describe('classifyError() gives nothing for', () => {
  it.each(NO_FAULTS)('%s', (_what, thrown) => {
    expect(classifyError(thrown)).toBeUndefined();
  });
});

describe('classifyError()', () => {
  it('gives the whole fault, with the error as it was thrown', () => {
    const thrown = fetchFailed(system('connect', 'ECONNREFUSED'));
    expect(classifyError(thrown)).toEqual({
      code: 'UPSTREAM_REFUSED',
      status: 502,
      title: 'Bad Gateway',
      detail: expect.stringMatching(/refused/),
      cause: thrown,
    });
    expect(classifyError(thrown)?.cause).toBe(thrown);
  });

  it("takes the outermost error's word where several of a chain are known", () => {
    const thrown = error('x', { code: 'UND_ERR_CONNECT_TIMEOUT', cause: system('connect', 'ECONNREFUSED') });
    expect(codeOf(thrown)).toBe('UPSTREAM_TIMEOUT');
  });

  it("takes a code's word before a wrapper's name", () => {
    const thrown = error('x', { name: 'AbortError', cause: system('read', 'ECONNRESET') });
    expect(codeOf(thrown)).toBe('UPSTREAM_RESET');
  });

  it('looks 16 causes deep', () => {
    const deep = (levels: number): unknown =>
      levels === 0 ? system('read', 'ECONNRESET') : new Error('x', { cause: deep(levels - 1) });
    expect(codeOf(deep(16))).toBe('UPSTREAM_RESET');
    expect(codeOf(deep(17))).toBeUndefined();
    expect(codeOf(deep(1000))).toBeUndefined();
  });

  it('looks at 64 errors', () => {
    const among = (others: number) =>
      new AggregateError([
        ...Array<Error>(others)
          .fill(null!)
          .map(() => new Error('x')),
        system('read', 'ECONNRESET'),
      ]);
    expect(codeOf(among(62))).toBe('UPSTREAM_RESET');
    expect(codeOf(among(63))).toBeUndefined();
  });

  it('takes no array for AggregateError.errors but a real one', () => {
    expect(codeOf(error('x', { errors: { 0: system('read', 'ECONNRESET'), length: 1 } }))).toBeUndefined();
  });
});

describe('classifyError() never throws at', () => {
  const refuse = () => {
    throw new Error('not yours to read');
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const circular = new Error('x');
  circular.cause = new AggregateError([circular, new Error('y', { cause: circular })]);
  const huge = new Error('x');
  Object.assign(huge, {
    errors: new Proxy([], {
      get: (target, key) => (key === 'length' ? 2 ** 32 - 1 : Reflect.get(target, key)),
    }),
  });

  it.each<Row>([
    ['a frozen error', Object.freeze(new Error('x'))],
    [
      'an error without a prototype',
      Object.assign(Object.create(null) as object, { code: 1n, name: {}, message: [] }),
    ],
    ['an error that causes itself', circular],
    [
      'an error that is all getters which throw',
      Object.defineProperties(
        {},
        Object.fromEntries(
          [
            'name',
            'message',
            'code',
            'cause',
            'errors',
            'status',
            'type',
            'syscall',
            'response',
            'details',
            'metadata',
            'isAxiosError',
          ].map((key) => [key, { get: refuse }]),
        ),
      ),
    ],
    [
      'a Proxy that throws at everything',
      new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse }),
    ],
    ['a revoked Proxy', revoked.proxy],
    ['a revoked Proxy as a cause', new Error('x', { cause: revoked.proxy })],
    ['a revoked Proxy as errors', error('x', { errors: revoked.proxy })],
    ['errors that claim to be four thousand million', huge],
    ['a function', refuse],
  ])('%s', (_what, thrown) => {
    expect(codeOf(thrown)).toBeUndefined();
  });

  it.each<Row>([
    ['a frozen reset', Object.freeze(system('read', 'ECONNRESET'))],
    [
      'a reset whose cause throws',
      Object.defineProperty(system('read', 'ECONNRESET'), 'cause', { get: refuse }),
    ],
    ['a reset that causes itself', Object.assign(system('read', 'ECONNRESET'), { cause: circular })],
    ['a reset that is a function', Object.assign(() => undefined, { code: 'ECONNRESET' })],
    ['a reset beside a revoked Proxy', new AggregateError([revoked.proxy, system('read', 'ECONNRESET')])],
  ])('%s, and knows it all the same', (_what, thrown) => {
    expect(codeOf(thrown)).toBe('UPSTREAM_RESET');
  });
});

describe('classifyError() tells of the upstream', () => {
  const origin = 'http://users:3001';

  it('what is noted of an error', () => {
    const thrown = system('read', 'ECONNRESET');
    rememberUpstream(thrown, { origin, attempt: 2 });
    expect(classifyError(thrown)?.upstream).toEqual({ origin, attempt: 2 });
  });

  it('what is noted along a chain, where the innermost knows best', () => {
    const inner = system('read', 'ECONNRESET');
    const outer = fetchFailed(inner);
    rememberUpstream(outer, { origin, attempt: 2, phase: 'waiting' });
    rememberUpstream(inner, { origin, phase: 'body', reusedSocket: true });
    expect(classifyError(outer)?.upstream).toEqual({ origin, attempt: 2, phase: 'body', reusedSocket: true });
  });

  it('what is noted of the error that decided, where several upstreams failed', () => {
    const refused = system('connect', 'ECONNREFUSED');
    const unknown = new Error('x');
    rememberUpstream(unknown, { origin: 'http://other:1', attempt: 3 });
    rememberUpstream(refused, { origin });
    const fault = classifyError(new AggregateError([unknown, fetchFailed(refused)]));
    expect(fault?.code).toBe('UPSTREAM_REFUSED');
    expect(fault?.upstream).toEqual({ origin });
  });

  it('nothing where nothing is noted', () => {
    expect(classifyError(system('read', 'ECONNRESET'))).not.toHaveProperty('upstream');
  });

  it('that bad gzip came from there', () => {
    const thrown = error('incorrect header check', { code: 'Z_DATA_ERROR' });
    rememberUpstream(thrown, { origin });
    expect(codeOf(thrown)).toBe('UPSTREAM_INVALID_RESPONSE');
  });
});

describe('classifyError() knows a reason of this package', () => {
  it.each([
    ['CLIENT_CLOSED_REQUEST', 'AbortError', 499],
    ['DEADLINE_EXCEEDED', 'TimeoutError', 504],
    ['RESPONSE_STALLED', 'TimeoutError', 504],
    ['SERVER_DRAINING', 'AbortError', 503],
    ['RESPONSE_DESTROYED', 'AbortError', 500],
  ])('%s, also of another copy', (code, name, status) => {
    expect(classifyError(error('x', { code, name, status }))).toMatchObject({ code, status });
  });

  it('that a client has wrapped', () => {
    const thrown = error('x', {
      name: 'AbortError',
      code: 'ABORT_ERR',
      cause: new DeadlineExceededError(50),
    });
    expect(codeOf(thrown)).toBe('DEADLINE_EXCEEDED');
  });

  it('only by code, name and status together', () => {
    expect(codeOf(error('x', { code: 'DEADLINE_EXCEEDED', name: 'GrpcError' }))).toBeUndefined();
    expect(codeOf(error('x', { code: 'CLIENT_CLOSED_REQUEST', name: 'Error', status: 499 }))).toBeUndefined();
  });
});
