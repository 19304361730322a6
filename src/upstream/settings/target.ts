import { wrongType } from '../../options';

/** Checks the origin of an upstream and gives it as `URL.origin` does. */
export function checkOrigin(origin: unknown): string {
  if (typeof origin !== 'string' && !(origin instanceof URL)) {
    throw wrongType('upstream(): the origin', origin, "an origin such as 'http://users:3001'");
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

/** One slash, and nothing that a URL parser takes for another (`\`) or drops without a word (CR, LF, tab). */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const SAFE_PATH = /^\/(?!\/)[^\\\u0000-\u001f\u007f]*$/;

/**
 * The URL of a path at an origin. It never leaves the origin, whatever the path is made of: the slash at its beginning
 * ends the host. What looks as if it should lead elsewhere (`//evil`, `/\evil`) is refused all the same.
 * @throws {TypeError} for any other path.
 */
export function targetUrl(origin: string, path: unknown): string {
  const where = `upstream('${origin}').fetch(): the path`;
  if (typeof path !== 'string') throw wrongType(where, path, "a string such as '/v1/users/7'");
  if (SAFE_PATH.test(path)) return origin + path;
  const shown = JSON.stringify(path.slice(0, 100));
  throw new TypeError(
    `${where} is ${shown}, but must begin with one slash and hold no backslash and no control character.`,
  );
}
