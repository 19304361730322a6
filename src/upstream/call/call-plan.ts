import type { IncomingMessage } from 'node:http';
import { boolean, millisecondsOrFalse } from '../../options';
import { foreignDispatcher } from '../foreign-dispatcher';
import type { Undici, UndiciHeaders } from '../load-undici';
import { checkDispatcher, checkRetries, type Settings } from '../settings/settings';
import { checkPath, pathOnWire } from '../settings/target';
import type {
  UpstreamCallOptions,
  UpstreamDispatcher,
  UpstreamRequestInit,
  UpstreamRequestOptions,
} from '../types';
import { BodySource } from './body-source';
import { bodyForUndici, isReplayable } from './request-body';
import { checkRequestOptions, headersOf, valueOf, withBody, type PlainHeaders } from './request-options';

/** RFC 9110, 9.2.2, without TRACE, which fetch does not send. */
const IDEMPOTENT_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** What is to be done, for all tries of a call. */
export interface CallPlan<Headers> {
  readonly path: string;
  readonly method: string;
  /** What undici is given, besides what changes from try to try. */
  readonly init: object;
  /** The caller's headers, copied; undefined where there are none. */
  readonly headers: Headers | undefined;
  readonly signal: AbortSignal | undefined;
  /** It does no harm to send it twice. */
  readonly idempotent: boolean;
  /** A body that can be read only once. Where there is one, there is one try. */
  readonly source: BodySource | undefined;
  readonly retries: number;
  readonly attemptMs: number;
  /** Whose sockets are used, where they are not ours. */
  readonly dispatcher: UpstreamDispatcher | undefined;
}

/** Checks what `fetch()` was given, and decides what may be done with it. */
export function planFetch(
  undici: Undici,
  settings: Settings,
  where: string,
  req: IncomingMessage | null,
  path: string,
  init: UpstreamRequestInit | undefined,
): CallPlan<UndiciHeaders> {
  if (init === undefined) return plainPlan(undici, settings, checkPath(where, path));
  const { idempotent, retries, attempt, dispatcher, signal, headers: given, body, ...rest } = init;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Node's own Headers are iterable, which is all it takes
  const headers = given === undefined ? undefined : new undici.Headers(given);
  const method = (init.method ?? 'GET').toUpperCase();
  const length = headers?.get('content-length');
  const source = isReplayable(body) ? undefined : new BodySource(body, req, lengthOf(length));
  // undici knows the length of all other bodies; with a wrong one by its side, its fetch would never settle.
  if (length != null && !source) headers?.delete('content-length');
  const fetchInit: Record<string, unknown> = rest;
  if (body != null) fetchInit['body'] = source ?? bodyForUndici(undici, body);
  if (source) fetchInit['duplex'] = 'half';
  const hasKey = Boolean(headers?.get('idempotency-key'));
  return {
    path: checkPath(where, path),
    init: fetchInit,
    headers,
    signal: signal ?? undefined,
    source,
    method,
    ...limitsOf(undici, settings, where, { idempotent, retries, attempt, dispatcher }, method, hasKey),
  };
}

/** Checks what `request()` was given, and decides what may be done with it. */
export function planRequest(
  undici: Undici,
  settings: Settings,
  where: string,
  req: IncomingMessage | null,
  path: string,
  options: UpstreamRequestOptions | undefined,
): CallPlan<PlainHeaders> {
  if (options === undefined) return plainPlan(undici, settings, pathOnWire(checkPath(where, path)));
  checkRequestOptions(where, options);
  const { body, headers: given, headersTimeout, bodyTimeout, signal } = options;
  const method = options.method === undefined ? 'GET' : options.method.toUpperCase();
  const headers = given === undefined ? undefined : headersOf(given);
  const length = headers && valueOf(headers, 'content-length');
  const source = isReplayable(body) ? undefined : new BodySource(body, req, lengthOf(length));
  const payload = body == null ? undefined : withBody(source ?? bodyForUndici(undici, body), headers);
  return {
    path: pathOnWire(checkPath(where, path)),
    init: { body: payload?.body, headersTimeout, bodyTimeout },
    headers: payload?.headers ?? headers,
    signal: signal ?? undefined,
    source,
    method,
    ...limitsOf(
      undici,
      settings,
      where,
      options,
      method,
      Boolean(headers && valueOf(headers, 'idempotency-key')),
    ),
  };
}

/** A GET with nothing to it, which most calls are. */
function plainPlan(undici: Undici, settings: Settings, path: string): CallPlan<never> {
  return {
    path,
    init: NOTHING,
    headers: undefined,
    signal: undefined,
    source: undefined,
    method: 'GET',
    idempotent: true,
    retries: settings.retries,
    attemptMs: settings.attempt === false ? Infinity : settings.attempt,
    dispatcher: settings.dispatcher ?? foreignDispatcher(undici),
  };
}

const NOTHING = {};

function lengthOf(header: unknown): number | undefined {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

type GivenLimits = { [Name in keyof UpstreamCallOptions]: UpstreamCallOptions[Name] | undefined };
type Limits = Pick<CallPlan<unknown>, 'idempotent' | 'retries' | 'attemptMs' | 'dispatcher'>;

function limitsOf(
  undici: Undici,
  settings: Settings,
  where: string,
  { idempotent, retries, attempt, dispatcher }: GivenLimits,
  method: string,
  hasKey: boolean,
): Limits {
  const option = (name: string): string => `${where}: option "${name}"`;
  const attemptMs =
    attempt === undefined ? settings.attempt : millisecondsOrFalse(option('attempt'), attempt);
  return {
    idempotent:
      idempotent === undefined
        ? IDEMPOTENT_METHODS.has(method) || hasKey
        : boolean(option('idempotent'), idempotent),
    retries: retries === undefined ? settings.retries : checkRetries(option('retries'), retries),
    attemptMs: attemptMs === false ? Infinity : attemptMs,
    dispatcher:
      dispatcher === undefined
        ? (settings.dispatcher ?? foreignDispatcher(undici))
        : checkDispatcher(option('dispatcher'), dispatcher),
  };
}
