import { wrongType } from '../options';

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

/**
 * The URL of a path at an origin. It never leaves the origin, whatever the path is made of: what a URL parser could take
 * for a host (`//evil`, `/\evil`), drops without a word (CR, LF, tab) or reads as a slash (`\`) is refused.
 * @throws {TypeError} for any other path.
 */
export function targetUrl(origin: string, path: unknown): string {
  const where = `upstream('${origin}').fetch(): the path`;
  if (typeof path !== 'string') throw wrongType(where, path, "a string such as '/v1/users/7'");
  const [pathname = ''] = path.split(/[?#]/, 1);
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const isSafe = /^\/(?!\/)/.test(path) && !pathname.includes('\\') && !/[\u0000-\u001f\u007f]/.test(path);
  const url = isSafe ? new URL(path, origin) : undefined;
  if (url?.origin !== origin) {
    const shown = JSON.stringify(path.slice(0, 100));
    throw new TypeError(
      `${where} is ${shown}, but must begin with one slash and hold no backslash and no control character.`,
    );
  }
  return url.href;
}
