/** The properties that can be read of a router's layer in Express 4 and 5. */
export interface MountLayer {
  /** Express 5, since router 2.3: the path as the app gave it. */
  rawPath?: unknown;
  /** Express 5: the path is `/`. */
  slash?: boolean;
  matchers?: ((path: string) => false | { path: string; params: Record<string, unknown> })[];
  /** Express 4: the expression that the path was compiled to. */
  regexp?: RegExp & { fast_slash?: boolean };
  keys?: { name: string | number }[];
}

/** The pattern at which a router is mounted, `/api/:version`; several are joined by `|`. Empty for `/`. */
export function mountPatternsOf(layer: MountLayer, path: string): string {
  if (layer.slash === true || layer.regexp?.fast_slash === true) return '';
  if (layer.rawPath !== undefined) return [layer.rawPath].flat().map(withoutSlash).join('|');
  if (layer.regexp !== undefined) return fromRegExp(layer.regexp, layer.keys ?? []);
  return fromMatch(layer, path);
}

function withoutSlash(path: unknown): string {
  return typeof path === 'string' ? path.replace(/\/$/, '') : String(path);
}

/** The end of every expression that Express 4 makes of a mount path. */
const MOUNT_END = '\\/?(?=\\/|$)';

/**
 * Restores the parameter names in an expression that Express 4 compiled. An expression of the app's own is given as
 * it is.
 */
function fromRegExp(regexp: RegExp, keys: readonly { name: string | number }[]): string {
  const alternatives = regexp.source.split('|^').map((part) => part.replace(/^\^/, ''));
  if (!regexp.source.startsWith('^') || !alternatives.every((part) => part.endsWith(MOUNT_END))) {
    return String(regexp);
  }
  const names = keys.map(({ name }) => name);
  return alternatives.map((part) => pathFrom(part.slice(0, -MOUNT_END.length), names)).join('|');
}

/** `\/t(?:\/([^\/]+?))` → `/t/:token` */
function pathFrom(source: string, names: (string | number)[]): string {
  let path = '';
  for (let at = 0; at < source.length;) {
    const end = source[at] === '(' ? groupEnd(source, at) : at + (source[at] === '\\' ? 2 : 1);
    const token = source.slice(at, end);
    if (token.startsWith('(')) {
      const name = names.shift();
      path += `${token.startsWith('(?:\\/') ? '/' : ''}${typeof name === 'string' ? `:${name}` : '*'}`;
    } else if (token !== '?') path += token.replace('\\', '');
    at = end;
  }
  return path;
}

function groupEnd(source: string, start: number): number {
  let depth = 0;
  for (let at = start; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '(') depth++;
    else if (source[at] === ')' && --depth === 0) return at + 1;
  }
  return source.length;
}

/**
 * How many segments of a path are tried. Mounts are rarely nested deeper, and a client may send thousands of
 * slashes.
 */
const MAX_DEPTH = 32;

/**
 * Express 5 before router 2.3 keeps no pattern. So a segment that equals a parameter's value is replaced by the
 * parameter's name. If the segments cannot be told apart, `/*` is given.
 */
function fromMatch(layer: MountLayer, path: string): string {
  const starts = Array.from(path.matchAll(/\//g), ({ index }) => index).slice(0, MAX_DEPTH);
  for (const start of starts) {
    const match = layer.matchers?.[0]?.(path.slice(start));
    if (!match) continue;
    const names = new Map(Object.entries(match.params).map(([name, value]) => [String(value), name]));
    const parts = match.path.split('/').map((part) => {
      const name = names.get(decoded(part));
      names.delete(decoded(part));
      return name === undefined ? part.toLowerCase() : `:${name}`;
    });
    return names.size === 0 ? parts.join('/') : '/*';
  }
  return '/*';
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
