import {
  CODE_PREFIXES,
  CODES,
  CONNECT_CODES,
  FETCH_ERROR_TYPES,
  GENERAL,
  LOOKUP_CODES,
  MESSAGES,
  NAMES,
  SOCKET_CALLS,
  SOCKET_CODES,
  type Rules,
} from './classify-tables';
import { ofWords } from './classify-words';
import { ownStatus, type ErrorFacts } from './error-chain';
import type { FaultCode } from '../fault';
import { upstreamOf } from '../upstream-info';

/** The fault that a chain of errors shows, and the index of the error that shows it. */
export interface Shape {
  readonly code: FaultCode;
  readonly at: number;
}

type Test = (error: ErrorFacts, chain: readonly ErrorFacts[]) => FaultCode | undefined;

/**
 * The gateway fault that a chain of errors looks like; `undefined` if none.
 *
 * The reason of an aborted signal says more than the error that a client makes of it (got turns
 * AbortSignal.timeout() into its own ETIMEDOUT). A code says more than a wrapper's name. Each test looks at the
 * outermost error first.
 */
export function shapeOf(chain: readonly ErrorFacts[]): Shape | undefined {
  for (const test of [ofSdkTimeout, ofSignal, ofEvidence, ofGeneral] satisfies Test[]) {
    for (const [at, error] of chain.entries()) {
      const code = test(error, chain);
      if (code) return { code, at };
    }
  }
  return undefined;
}

/** openai and @anthropic-ai/sdk: their timeout aborts a signal of their own, whose reason may be the error's cause. */
function ofSdkTimeout({ name, className }: ErrorFacts): FaultCode | undefined {
  const isTimeout = name === 'APIConnectionTimeoutError' || className === 'APIConnectionTimeoutError';
  return isTimeout ? 'UPSTREAM_TIMEOUT' : undefined;
}

/** The DOMException that `controller.abort()` and `AbortSignal.timeout()` give as a reason: legacy codes 20 and 23. */
function ofSignal({ name, code }: ErrorFacts): FaultCode | undefined {
  const isAbort = (name === 'AbortError' && code === 20) || (name === 'TimeoutError' && code === 23);
  return isAbort ? 'OPERATION_ABORTED' : undefined;
}

function ofEvidence(error: ErrorFacts, chain: readonly ErrorFacts[]): FaultCode | undefined {
  // A 4xx is about the client's request, even if it was made from a network error.
  if ((ownStatus(error) ?? 500) < 500) return undefined;
  const byName = apply(NAMES, error.name, error);
  if (byName) return byName;
  if (error.grpcDetails !== undefined) return ofGrpc(error.code, error.grpcDetails);
  if (typeof error.code === 'number') return ofMongo(error);
  const byType = apply(FETCH_ERROR_TYPES, error.type, error);
  if (byType) return byType;
  if (error.code === undefined) return apply(MESSAGES, error.message, error) ?? ofWords(error);
  const code = ofCode(error, error.code, chain);
  return code === 'UPSTREAM_RESET' && isTimers(error) ? 'UPSTREAM_TIMEOUT' : code;
}

/**
 * Whether a timer of this process closed the connection. `request.on('timeout', () => request.destroy())`, as Node's
 * documentation has it, ends in the same "socket hang up" as an upstream that hangs up. Only `diagnose()` can tell them
 * apart.
 */
function isTimers({ error }: ErrorFacts): boolean {
  return upstreamOf(error)?.trigger?.endsWith('-timeout') ?? false;
}

function ofGeneral(error: ErrorFacts): FaultCode | undefined {
  // openai and @anthropic-ai/sdk: the signal that the app passed was aborted.
  if ([error.name, error.className].includes('APIUserAbortError')) return 'OPERATION_ABORTED';
  return apply(GENERAL, error.name, error) ?? apply(GENERAL, String(error.code), error);
}

function ofCode(error: ErrorFacts, code: string, chain: readonly ErrorFacts[]): FaultCode | undefined {
  const anywhere =
    apply(CODES, code, error) ?? CODE_PREFIXES.find(([prefix]) => code.startsWith(prefix))?.[1];
  if (anywhere) return anywhere;
  if (isDecompression(code)) return chain.some(isOfHttpClient) ? 'UPSTREAM_INVALID_RESPONSE' : undefined;
  const { syscall } = error;
  if (/^(?:getaddrinfo|getnameinfo|query|getHostBy)/.test(syscall)) return apply(LOOKUP_CODES, code, error);
  if (syscall === 'connect') return apply(SOCKET_CODES, code, error) ?? apply(CONNECT_CODES, code, error);
  return syscall === '' || SOCKET_CALLS.has(syscall) ? apply(SOCKET_CODES, code, error) : undefined;
}

/** zlib, Brotli and Zstandard. An HTTP client's error is about a response's body; any other is the app's own. */
function isDecompression(code: string): boolean {
  return /^(?:Z_|ERR__ERROR_FORMAT_|ERR_BROTLI_|ZSTD_error_)/.test(code);
}

function isOfHttpClient({ error, name, message, isAxiosError, response }: ErrorFacts): boolean {
  const isFetch = name === 'TypeError' && (message === 'terminated' || message === 'fetch failed');
  const isOther = isAxiosError || response !== undefined || name === 'FetchError' || name === 'ReadError';
  return isFetch || isOther || upstreamOf(error) !== undefined;
}

/**
 * gRPC's statuses: https://grpc.io/docs/guides/status-codes/. A status that a server sends on purpose stays the
 * app's.
 */
function ofGrpc(code: ErrorFacts['code'], details: string): FaultCode | undefined {
  if (code === 4) return 'UPSTREAM_TIMEOUT';
  // A server that is killed in the middle of a call shows as CANCELLED too.
  if (code === 1) return details === 'Cancelled on client' ? 'OPERATION_ABORTED' : 'UPSTREAM_RESET';
  if (code === 13) return details.startsWith('Received RST_STREAM') ? 'UPSTREAM_RESET' : undefined;
  if (code !== 14) return undefined;
  if (details.includes('ECONNREFUSED')) return 'UPSTREAM_REFUSED';
  return details.includes('ECONNRESET') ? 'UPSTREAM_RESET' : 'UPSTREAM_UNREACHABLE';
}

/** MongoDB's MaxTimeMSExpired. */
function ofMongo({ name, code }: ErrorFacts): FaultCode | undefined {
  return name === 'MongoServerError' && code === 50 ? 'UPSTREAM_TIMEOUT' : undefined;
}

function apply(rules: Rules, key: string, error: ErrorFacts): FaultCode | undefined {
  const rule = rules.get(key);
  return typeof rule === 'function' ? rule(error) : rule;
}
