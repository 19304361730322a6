import { boolean, millisecondsOrFalse } from '../../options';
import { bodyForUndici, isReplayable } from './request-body';
import type { Undici, UndiciHeaders } from '../load-undici';
import { checkRetries, type Settings } from '../settings/settings';
import { targetUrl } from '../settings/target';
import type { UpstreamRequestInit } from '../types';

/** RFC 9110, 9.2.2, without TRACE, which fetch does not send. */
const IDEMPOTENT_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** What is to be done, for all tries of a call. */
export interface CallPlan {
  readonly url: string;
  readonly method: string;
  /** What fetch is given, besides what changes from try to try. */
  readonly init: object;
  /** The caller's headers, copied; undefined where there are none. */
  readonly headers: UndiciHeaders | undefined;
  readonly signal: AbortSignal | undefined;
  /** It does no harm to send it twice. */
  readonly idempotent: boolean;
  /** Its body can be sent twice. */
  readonly replayable: boolean;
  readonly retries: number;
  readonly attemptMs: number;
}

/** Checks what `fetch()` was given, and decides what may be done with it. */
export function makeCallPlan(
  undici: Undici,
  origin: string,
  settings: Settings,
  path: string,
  init: UpstreamRequestInit,
): CallPlan {
  const where = `upstream('${origin}').fetch(): option`;
  const { idempotent, retries, attempt, signal, headers: given, body, ...rest } = init;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Node's own Headers are iterable, which is all it takes
  const headers = given === undefined ? undefined : new undici.Headers(given);
  const method = (init.method ?? 'GET').toUpperCase();
  const replayable = isReplayable(body);
  const fetchInit: Record<string, unknown> = rest;
  if (body != null) fetchInit['body'] = bodyForUndici(undici, body);
  if (!replayable) fetchInit['duplex'] = 'half';
  const attemptMs =
    attempt === undefined ? settings.attempt : millisecondsOrFalse(`${where} "attempt"`, attempt);
  return {
    url: targetUrl(origin, path),
    method,
    init: fetchInit,
    headers,
    signal: signal ?? undefined,
    idempotent:
      idempotent === undefined
        ? IDEMPOTENT_METHODS.has(method) || Boolean(headers?.get('idempotency-key'))
        : boolean(`${where} "idempotent"`, idempotent),
    replayable,
    retries: retries === undefined ? settings.retries : checkRetries(`${where} "retries"`, retries),
    attemptMs: attemptMs === false ? Infinity : attemptMs,
  };
}
