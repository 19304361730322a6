import { classifyError } from '../../answer/classify/classify-error';
import { errorChain, read, type ErrorFacts } from '../../answer/classify/error-chain';
import type { FaultCode } from '../../answer/fault';
import type { HangupCode } from '../../errors';

/** What ended a call. `docs/diagnose.md` has a row for each. */
export type Trigger =
  // the upstream
  | 'fin'
  | 'rst'
  | 'refused'
  | 'parse-error'
  | 'tls-error'
  | 'certificate'
  // the way to it
  | 'name-not-found'
  | 'resolver'
  | 'unreachable'
  // timers
  | 'connect-timeout'
  | 'attempt-timeout'
  | 'kernel-timeout'
  | 'headers-timeout'
  | 'body-timeout'
  | 'socket-timeout'
  | 'client-timeout'
  | 'signal-timeout'
  | 'deadline'
  | 'stall'
  // this process, and the client that it worked for
  | 'abort'
  | 'destroyed'
  | 'draining'
  | 'client-closed';

/** A map, because the app's own errors may have any code, `constructor` too. */
const BY_CODE: ReadonlyMap<unknown, Trigger> = new Map<unknown, Trigger>(
  Object.entries<Trigger>({
    UND_ERR_CONNECT_TIMEOUT: 'connect-timeout',
    ERR_SOCKET_CONNECTION_TIMEOUT: 'connect-timeout',
    ERR_TLS_HANDSHAKE_TIMEOUT: 'connect-timeout',
    UND_ERR_HEADERS_TIMEOUT: 'headers-timeout',
    UND_ERR_BODY_TIMEOUT: 'body-timeout',
    EAI_AGAIN: 'resolver',
    EAI_FAIL: 'resolver',
    ETIMEOUT: 'resolver',
    ENOTFOUND: 'name-not-found',
    ENODATA: 'name-not-found',
    EPROTO: 'tls-error',
    ECONNREFUSED: 'refused',
    ERR_TLS_CERT_ALTNAME_INVALID: 'certificate',
  }),
);

const BY_FAULT: Readonly<Record<FaultCode, Trigger | undefined>> = {
  DEADLINE_EXCEEDED: 'deadline',
  RESPONSE_STALLED: 'stall',
  SERVER_DRAINING: 'draining',
  CLIENT_CLOSED_REQUEST: 'client-closed',
  RESPONSE_DESTROYED: 'destroyed',
  UPSTREAM_TIMEOUT: 'client-timeout',
  OPERATION_ABORTED: 'abort',
  UPSTREAM_RESET: undefined,
  UPSTREAM_REFUSED: 'refused',
  UPSTREAM_UNREACHABLE: 'unreachable',
  UPSTREAM_INVALID_RESPONSE: 'parse-error',
};

/** What is known of a failure besides its error. */
export interface Circumstances {
  /** This process destroyed the request itself. */
  readonly isDestroyedHere: boolean;
  /** The socket's own timer had run out. */
  readonly isTimedOut: boolean;
  /** What the peer had done to the socket, where that was seen. */
  readonly endedBy: 'fin' | 'rst' | undefined;
  /** The request that was aborted in this turn of the event loop: what is destroyed here now is destroyed for it. */
  readonly abortedBy: HangupCode | undefined;
  /** The connection had not been made yet when it failed. */
  readonly isConnecting: boolean;
  /** For how long the connection had been in the making, where that was seen. */
  readonly connectingMs: number | undefined;
}

/** What ended a call, from its error and what was seen of its socket; `undefined` where neither tells. */
export function triggerOf(error: unknown, seen: Circumstances): Trigger | undefined {
  const code = classifyError(error)?.code;
  const chain = errorChain(error);
  if (isEffectOfAbort(code, chain, seen)) return seen.abortedBy && BY_FAULT[seen.abortedBy];
  if (code === 'UPSTREAM_RESET') return triggerOfReset(chain, seen);
  if (code === undefined) return triggerOfUnknownError(seen);
  if (code === 'OPERATION_ABORTED' && chain.some(isSignalTimeout)) return 'signal-timeout';
  if (isOurs(code)) return BY_FAULT[code];
  return triggerOfChain(chain, seen) ?? BY_FAULT[code];
}

/**
 * Whether a client has aborted its call because the request that it worked for was aborted. axios's error is then
 * "canceled", got's an ECONNRESET: neither shows the reason. Signs of the kernel or the peer take precedence.
 */
function isEffectOfAbort(
  code: FaultCode | undefined,
  chain: readonly ErrorFacts[],
  { abortedBy, isDestroyedHere, isTimedOut, endedBy }: Circumstances,
): boolean {
  if (abortedBy === undefined || endedBy !== undefined || chain.some(isOfKernel)) return false;
  // A socket that has emitted `timeout` was destroyed for that.
  return code === 'OPERATION_ABORTED' || (isDestroyedHere && !isTimedOut);
}

function isOurs(code: FaultCode): boolean {
  return code === 'OPERATION_ABORTED' || !code.startsWith('UPSTREAM_');
}

/** node:http gives the same ECONNRESET for a close by the upstream and for `request.destroy()`. */
function triggerOfReset(chain: readonly ErrorFacts[], seen: Circumstances): Trigger | undefined {
  if (chain.some(isOfKernel)) return 'rst';
  // While a connection is made, a reset that is not the kernel's is the end of the stream in mid-handshake.
  if (seen.endedBy === undefined && seen.isConnecting && !seen.isDestroyedHere) return 'fin';
  return seen.endedBy ?? triggerOfUnknownError(seen);
}

function triggerOfUnknownError({ isDestroyedHere, isTimedOut }: Circumstances): Trigger | undefined {
  if (!isDestroyedHere) return undefined;
  return isTimedOut ? 'socket-timeout' : 'destroyed';
}

/**
 * A system error of a socket, which Node made from the kernel's. Messages are not trusted, because any code can set
 * them.
 */
function isOfKernel({ error, syscall, code }: ErrorFacts): boolean {
  return (
    (code === 'ECONNRESET' || code === 'EPIPE') && syscall !== '' && typeof read(error, 'errno') === 'number'
  );
}

/** The reason of `AbortSignal.timeout()`, a DOMException. */
function isSignalTimeout({ name, code }: ErrorFacts): boolean {
  return name === 'TimeoutError' && code === 23;
}

function triggerOfChain(chain: readonly ErrorFacts[], seen: Circumstances): Trigger | undefined {
  for (const { code, syscall } of chain) {
    if (typeof code !== 'string') continue;
    if (code === 'ETIMEDOUT' && syscall !== '') return triggerOfKernelTimeout(syscall, seen);
    const known = BY_CODE.get(code) ?? triggerOfCodeFamily(code);
    if (known) return known;
  }
  return undefined;
}

/** No kernel gives a connection up so soon: it was Node's limit for each of several addresses. */
const SHORTEST_KERNEL_MS = 5000;

function triggerOfKernelTimeout(syscall: string, { connectingMs }: Circumstances): Trigger {
  if (syscall !== 'connect') return 'kernel-timeout';
  if (connectingMs === undefined) return 'connect-timeout';
  return connectingMs < SHORTEST_KERNEL_MS ? 'attempt-timeout' : 'kernel-timeout';
}

function triggerOfCodeFamily(code: string): Trigger | undefined {
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return 'tls-error';
  return /CERT|^UNABLE_TO_|^HOSTNAME_MISMATCH$/.test(code) ? 'certificate' : undefined;
}
