import { checkNames } from '../../options';
import type { UpstreamRequestOptions } from '../types';

/** The headers of `request()`. */
export type PlainHeaders = Record<string, string | string[] | undefined>;

const NAMES = new Set<string>([
  'method',
  'headers',
  'body',
  'signal',
  'idempotent',
  'retries',
  'attempt',
  'dispatcher',
  'headersTimeout',
  'bodyTimeout',
] satisfies (keyof UpstreamRequestOptions)[]);

/** Refuses unknown options of `request()`. This runs for each call, so it only goes through the names that were given. */
export function checkRequestOptions(where: string, options: UpstreamRequestOptions): void {
  for (const name in options) if (!NAMES.has(name)) checkNames(where, options, [...NAMES]);
}

/** A copy of the caller's headers. */
export function headersOf(given: NonNullable<UpstreamRequestOptions['headers']>): PlainHeaders {
  if (!isIterable(given)) return { ...given };
  const headers: PlainHeaders = {};
  for (const [name, value] of given) {
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}

/** The value of a header, whatever the case of its name. */
export function valueOf(headers: PlainHeaders, wanted: string): string | string[] | undefined {
  const name = nameOf(headers, wanted);
  return name === undefined ? undefined : headers[name];
}

/** The name of a header as the caller has written it; undefined where the header is absent. */
export function nameOf(headers: PlainHeaders, wanted: string): string | undefined {
  for (const name in headers) {
    if (name.length === wanted.length && name.toLowerCase() === wanted) return name;
  }
  return undefined;
}

/** Turns `URLSearchParams` into text and adds its content type: undici's `request()` does neither. */
export function withBody(
  body: unknown,
  headers: PlainHeaders | undefined,
): { body: unknown; headers: PlainHeaders | undefined } {
  if (Object.prototype.toString.call(body) !== '[object URLSearchParams]') return { body, headers };
  const type = 'application/x-www-form-urlencoded;charset=UTF-8';
  const hasType = headers !== undefined && nameOf(headers, 'content-type') !== undefined;
  return { body: String(body), headers: hasType ? headers : { ...headers, 'content-type': type } };
}

function isIterable(given: object): given is Iterable<[string, string]> {
  return Symbol.iterator in given;
}
