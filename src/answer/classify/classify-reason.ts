import type { IncomingMessage } from 'node:http';
import type { HangupCode } from '../../errors';
import { lifetimeOf } from '../../request/lifetime/lifetime-of';
import { errorChain, isObject, read, type ErrorFacts } from './error-chain';

const REASONS: Readonly<Record<HangupCode, readonly [name: string, status: number]>> = {
  CLIENT_CLOSED_REQUEST: ['AbortError', 499],
  DEADLINE_EXCEEDED: ['TimeoutError', 504],
  RESPONSE_STALLED: ['TimeoutError', 504],
  SERVER_DRAINING: ['AbortError', 503],
  RESPONSE_DESTROYED: ['AbortError', 500],
};

/** Why a request was aborted, and whether that is known here at all. */
export interface RequestReason {
  /**
   * Whether `hangup()` or `deadline()` watches the request. If so, a missing reason means that it has not been
   * aborted.
   */
  readonly isKnown: boolean;
  readonly reason: HangupCode | undefined;
}

/** Why a request was aborted, as this copy of the package knows it, or as another copy has set it on `req.signal`. */
export function reasonOf(req: IncomingMessage | undefined): RequestReason {
  if (req === undefined) return { isKnown: false, reason: undefined };
  try {
    const lifetime = lifetimeOf(req);
    return { isKnown: lifetime !== undefined, reason: lifetime?.reason?.code ?? foreignReason(req) };
  } catch {
    return { isKnown: false, reason: undefined };
  }
}

/** The first of our own reasons among the errors. Code, name and status identify it, so another copy's counts too. */
export function reasonIn(chain: readonly ErrorFacts[]): HangupCode | undefined {
  for (const { code, name, status } of chain) {
    if (!isHangupCode(code)) continue;
    const [expectedName, expectedStatus] = REASONS[code];
    if (name === expectedName && status === expectedStatus) return code;
    // Prisma keeps nothing but the code and the message of an error that its driver adapter passes on.
    if (name === 'PrismaClientKnownRequestError') return code;
  }
  return undefined;
}

// Node's own `req.signal` has none of our reasons, and on 24.16-24.19 and 26.1-26.6 it aborts without any cause. So a
// signal counts only if it carries one of our reasons.
function foreignReason(req: IncomingMessage): HangupCode | undefined {
  const signal = read(req, 'signal');
  if (!isObject(signal) || read(signal, 'aborted') !== true) return undefined;
  return reasonIn(errorChain(read(signal, 'reason')).slice(0, 1));
}

function isHangupCode(code: unknown): code is HangupCode {
  return typeof code === 'string' && Object.hasOwn(REASONS, code);
}
