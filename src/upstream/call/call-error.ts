import type { UpstreamInfo } from '../../answer/fault';
import { rememberUpstream } from '../../answer/upstream-info';

/** The reason with which a try is aborted that takes longer than `attempt`. */
export class AttemptTimeoutError extends Error {
  override readonly name = 'TimeoutError';
  readonly code = 'ETIMEDOUT';

  constructor(attemptMs: number) {
    super(`no answer within ${attemptMs} ms`);
  }
}

/** An error that also names the call it belongs to. It keeps the original's name and code, by which it is recognised. */
class CallError extends Error {
  readonly code: unknown;

  constructor(original: unknown, call: string) {
    const { name, code, message } = (original ?? {}) as Partial<NodeJS.ErrnoException>;
    super(`${message || (code ?? String(original))} (${call})`, { cause: original });
    this.name = name ?? 'Error';
    this.code = code;
  }
}

/** The error with which `request()` rejects: undici's, with the call named in its message. */
export function callErrorOf(error: unknown, method: string, info: UpstreamInfo): Error {
  const original = isFetchFailed(error) ? error.cause : error;
  const socket = info.reusedSocket ? `, on a socket that had been unused for ${info.idleMs} ms` : '';
  const failure = new CallError(original, `${method} ${info.origin}, attempt ${info.attempt}${socket}`);
  rememberUpstream(failure, info);
  return failure;
}

/** The error with which `fetch()` rejects: fetch's own. Its `cause` names the call. */
export function fetchErrorOf(error: unknown, method: string, info: UpstreamInfo): TypeError {
  const failure = new TypeError('fetch failed', { cause: callErrorOf(error, method, info) });
  rememberUpstream(failure, info);
  return failure;
}

function isFetchFailed(error: unknown): error is TypeError {
  const { name, cause } = (error ?? {}) as Partial<Error>;
  return name === 'TypeError' && cause !== undefined;
}
