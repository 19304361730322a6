import { wrongType } from '../../options';

/** Checks the origins of an upstream, one or a list, and gives them as `URL.origin` does. */
export function checkOrigins(from: unknown): readonly [string, ...string[]] {
  if (!Array.isArray(from)) return [checkOrigin(from)];
  const [first, ...others] = from.map(checkOrigin);
  if (first === undefined) throw new TypeError('upstream(): the list of origins is empty.');
  const twice = others.find((origin, n) => origin === first || others.indexOf(origin) !== n);
  if (twice !== undefined) throw new TypeError(`upstream(): the origin '${twice}' is in the list twice.`);
  return [first, ...others];
}

/** Checks the origin of an upstream and gives it as `URL.origin` does. */
export function checkOrigin(origin: unknown): string {
  if (typeof origin !== 'string' && !(origin instanceof URL)) {
    throw wrongType(
      'upstream(): the origin',
      origin,
      "an origin such as 'http://users:3001', or a list of them",
    );
  }
  const text = String(origin);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    (url?.protocol === 'http:' || url?.protocol === 'https:') &&
    url.href === `${url.origin}/` &&
    !/[?#]/.test(text);
  if (!isOrigin) {
    throw new TypeError(
      `upstream(): the origin is ${JSON.stringify(text)}, but must be scheme, host and port alone, such as 'http://users:3001'.`,
    );
  }
  return url.origin;
}

/** One slash first, and no character that a URL parser takes for a slash (`\`) or drops silently (CR, LF, tab). */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const SAFE_PATH = /^\/(?!\/)[^\\\u0000-\u001f\u007f]*$/;

/** A path that a URL parser leaves unchanged: no character to encode, no fragment, no segment that begins with a dot. */
const PLAIN_PATH = /^(?:\/(?![./]|%2e)[\w\-.~!$&()*+,;=:@%]*)+(?:\?[\w\-.~!$&()*+,;=:@%/?[\]{}|^`]+)?$/i;

/**
 * Checks a path. A path behind an origin cannot lead to another one, because its first slash ends the host. A path that
 * looks as if it could (`//evil`, `/\evil`) is refused all the same.
 * @throws {TypeError} for any other path.
 */
export function checkPath(where: string, path: unknown): string {
  if (typeof path !== 'string') throw wrongType(`${where}: the path`, path, "a string such as '/v1/users/7'");
  if (SAFE_PATH.test(path)) return path;
  const shown = JSON.stringify(path.slice(0, 100));
  throw new TypeError(
    `${where}: the path is ${shown}, but must begin with one slash and hold no backslash and no control character.`,
  );
}

/** Makes of a path what fetch would send: dot segments resolved, other characters encoded, no fragment. */
export function pathOnWire(path: string): string {
  if (PLAIN_PATH.test(path)) return path;
  const { pathname, search } = new URL(`http://any${path}`);
  return pathname + search;
}
