import { METHODS } from 'node:http';

const KNOWN: ReadonlySet<string> = new Set(METHODS);

/**
 * A request's method, or `_OTHER` where Node does not know it. On HTTP/2, and where an app takes the method from a header,
 * a client may choose any text: it must neither be shown nor make a kind of fault or a route of its own.
 */
export function knownMethod(method: string | undefined): string {
  return method !== undefined && KNOWN.has(method) ? method : '_OTHER';
}
