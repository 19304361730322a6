import type { HangupError } from '../errors';
import { isWithinBudget, OUTBOUND_BUDGET_HEADER } from '../request/budget';
import { currentContext } from '../request/context';
import { CallScope, type FollowedCall } from './call-scope';
import { DispatchContexts } from './dispatch-contexts';
import { budgetMs, isBudgetHeader } from './outbound-budget';
import { subscribeAll } from '../subscribe-all';

/** undici's own request: https://undici.nodejs.org/#/docs/api/DiagnosticsChannel and lib/core/request.js of versions 6, 7 and 8. */
interface UndiciRequest {
  readonly origin?: unknown;
  readonly method: string;
  readonly upgrade?: unknown;
  readonly aborted?: boolean;
  readonly completed?: boolean;
  readonly headers?: unknown;
  /** `null` until the request is given to a connection. */
  readonly abort?: ((reason: Error) => void) | null;
  addHeader(name: string, value: string): unknown;
  onError?(reason: Error): void;
  /** `onError` since version 8. */
  onResponseError?(reason: Error): void;
  [call: symbol]: UndiciCall | undefined;
}

interface OfRequest {
  readonly request: UndiciRequest;
}

/** A property of the request: a WeakMap costs half a microsecond and more for each call. */
const CALL = Symbol('express-hangup.propagated-call');

/**
 * Follows the calls of every undici in the process, because all publish on the same channels: global fetch, and each
 * installed copy with its agents, pools and clients. Gives the function that stops this.
 */
export function followUndici(): () => void {
  const contexts = new DispatchContexts();
  const isOver = ({ request }: OfRequest): void => request[CALL]?.over();
  const unsubscribe = subscribeAll({
    'undici:request:create': ({ request }: OfRequest) => {
      const reason = contexts.created(request);
      if (reason) endRequest(request, reason);
      else follow(request);
    },
    'undici:request:trailers': isOver,
    'undici:request:error': isOver,
  });
  return () => {
    unsubscribe();
    contexts.restore();
  };
}

function follow(request: UndiciRequest): void {
  const scope = currentContext();
  if (!(scope instanceof CallScope) || isConnection(request)) return;
  const { ends, tellsBudget } = scope.rules.of(request.method, () => String(request.origin));
  if (tellsBudget) tellBudget(request, scope.lifetime.remaining());
  if (!ends) return;
  const call = new UndiciCall(request, scope);
  request[CALL] = call;
  scope.add(call);
}

/** A tunnel or a WebSocket is no call: others may use it when this request is over. */
function isConnection({ method, upgrade }: UndiciRequest): boolean {
  return method === 'CONNECT' || (upgrade !== null && upgrade !== undefined && upgrade !== false);
}

function tellBudget(request: UndiciRequest, remainingMs: number): void {
  const ms = budgetMs(remainingMs);
  if (ms === undefined) return;
  // A flat list of names and values.
  const headers: unknown[] = Array.isArray(request.headers) ? request.headers : [];
  const at = headers.findIndex((name, index) => index % 2 === 0 && isBudgetHeader(name));
  if (at < 0) request.addHeader(OUTBOUND_BUDGET_HEADER, String(ms));
  else if (!isWithinBudget(headers[at + 1], ms)) headers[at + 1] = String(ms);
}

class UndiciCall implements FollowedCall {
  constructor(
    private readonly request: UndiciRequest,
    private readonly scope: CallScope,
  ) {}

  over(): void {
    this.request[CALL] = undefined;
    this.scope.delete(this);
  }

  end(reason: HangupError): void {
    endRequest(this.request, reason);
  }
}

function endRequest(request: UndiciRequest, reason: HangupError): void {
  if (request.aborted === true || request.completed === true) return;
  if (request.abort) request.abort(reason);
  else if (request.onResponseError) request.onResponseError(reason);
  else request.onError?.(reason);
}
