import fc from 'fast-check';
import { checkOrigin, checkPath } from '../../../src/upstream/settings/target';

const targetUrl = (path: unknown): string => ORIGIN + checkPath('fetch()', path);
const ORIGIN = 'http://users:3001';

describe('the path of upstream().fetch()', () => {
  it.each([
    ['a path', '/v1/users/7', '/v1/users/7'],
    ['a query', '/search?q=a/b//c', '/search?q=a/b//c'],
    ['the root', '/', '/'],
    ['dot segments, which stay below the root', '/v1/../../../v2', '/v2'],
    ['an @, which is no host here', '/@evil', '/@evil'],
    ['a colon, which is no scheme here', '/http://evil/', '/http://evil/'],
    ['characters that are encoded', '/ä b', '/%C3%A4%20b'],
  ])('may be %s', (_what, path, expected) => {
    const url = new URL(targetUrl(path));
    expect(url.origin).toBe(ORIGIN);
    expect(url.href).toBe(ORIGIN + expected);
  });

  it.each([
    ['a host', '//evil/x'],
    ['a host, by a backslash', '/\\evil'],
    ['a host, by two backslashes', '\\\\evil'],
    ['a host, behind a tab that URL parsers drop', '/\t/evil'],
    ['a host, behind a line feed', '/\n/evil'],
    ['an absolute URL', 'http://evil/'],
    ['another scheme', 'file:///etc/passwd'],
    ['no slash', 'v1/users'],
    ['user info', '@evil/'],
    ['a port', ':99/'],
    ['nothing', ''],
    ['CR LF', '/a\r\nX-Evil: 1'],
    ['a NUL', '/a\0'],
    ['a backslash amid the path', '/a\\..\\b'],
  ])('is refused for %s', (_what, path) => {
    expect(() => targetUrl(path)).toThrow(TypeError);
    expect(() => targetUrl(path)).toThrow(/must begin with one slash/);
  });

  it.each([[undefined], [null], [7], [new URL('http://users:3001/x')]])('is refused for %p', (path) => {
    expect(() => targetUrl(path)).toThrow(/the path is .*, but must be a string such as/);
  });

  it('never leaves the origin, whatever it is made of', () => {
    const parts = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '@',
      ':',
      '?',
      '#',
      'evil',
      '\t',
      '\r',
      '\n',
      ' ',
      '%2f',
      '[',
      'http:',
      '\u3002',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(parts).map((list) => list.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (path) => {
          let url: string;
          try {
            url = targetUrl(path);
          } catch {
            return;
          }
          expect(new URL(url).origin).toBe(ORIGIN);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('the origin of upstream()', () => {
  it.each([
    ['http://users:3001', 'http://users:3001'],
    ['https://users.internal/', 'https://users.internal'],
    ['HTTP://Users:80', 'http://users'],
    ['http://[::1]:3001', 'http://[::1]:3001'],
  ])('may be %s', (given, origin) => {
    expect(checkOrigin(given)).toBe(origin);
    expect(checkOrigin(new URL(given))).toBe(origin);
  });

  it.each([
    ['users:3001'],
    ['//users'],
    ['http://users/base'],
    ['http://users/?'],
    ['http://users/#x'],
    ['http://me:secret@users'],
    ['ftp://users'],
    ['unix:/run/users.sock'],
    [''],
    ['http://'],
  ])('is refused for %p', (given) => {
    expect(() => checkOrigin(given)).toThrow(TypeError);
    expect(() => checkOrigin(given)).toThrow(/scheme, host and port alone/);
  });

  it('is refused for what is neither a string nor a URL', () => {
    expect(() => checkOrigin(undefined)).toThrow(
      "upstream(): the origin is undefined, but must be an origin such as 'http://users:3001', or a list of them.",
    );
  });
});
