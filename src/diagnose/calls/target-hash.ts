import type { CallTarget } from './upstream-call';

/**
 * A number by which calls for the same thing are known again. It is kept instead of the path, which may hold a client's
 * secrets. FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function targetHash({ method, path }: CallTarget): number {
  let hash = 0x811c9dc5;
  const text = `${method} ${path}`;
  const length = Math.min(text.length, MAX_HASHED);
  for (let at = 0; at < length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** What differs only after so many characters is taken for the same. */
const MAX_HASHED = 2000;
