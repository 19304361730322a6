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

/** The idempotent methods of RFC 9110, 9.2.2, except TRACE, which fetch does not send. */
const IDEMPOTENT_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** What all tries of a call have in common. */
export interface CallPlan<Headers> {
  readonly path: string;
  readonly method: string;
  /** The options for undici that are the same for each try. */
  readonly init: object;
  /** The caller's headers, copied; undefined where there are none. */
  readonly headers: Headers | undefined;
  readonly signal: AbortSignal | undefined;
  /** Whether the call may be sent twice. */
  readonly idempotent: boolean;
  /** A body that can be read only once. A call with such a body is tried only once. */
  readonly source: BodySource | undefined;
  readonly retries: number;
  readonly attemptMs: number;
  /** The dispatcher that is used instead of our own connection pool. */
  readonly dispatcher: UpstreamDispatcher | undefined;
}

/** Checks the arguments of `fetch()` and makes the call's plan. */
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
  // undici knows the length of all other bodies. With a wrong `Content-Length`, its fetch would never settle.
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

/** Checks the arguments of `request()` and makes the call's plan. */
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

/** The plan of a GET without options. Most calls are such GETs. */
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
