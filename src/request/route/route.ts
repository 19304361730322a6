import type { IncomingMessage } from 'node:http';
import { mountPatternsOf, type MountLayer } from './mount-pattern';

interface Router {
  stack: Layer[];
}

interface Layer extends MountLayer {
  /** What was mounted: a middleware, or a router, which is a function with a stack. */
  handle?: unknown;
  route?: object;
}

interface App {
  /** Express 4. On Express 5 it is `router`, which on Express 4 throws. */
  _router?: Router;
  router?: Router;
  /** The app that this one is mounted on, and where. */
  parent?: App;
  mountpath?: string | string[];
}

interface Routed extends IncomingMessage {
  route?: { path?: unknown };
  originalUrl?: string;
  app?: App;
}

/** Stands for a part of a path whose pattern is unknown. The path as the client sent it is never given. */
const UNKNOWN = '/*';

/**
 * The pattern of the route that a request has reached, with the patterns in front of it at which its router and app are
 * mounted: `/api/:version/users/:id`. `undefined` before any route has matched.
 *
 * Express keeps a mount's path as the client sent it, and resets it on the way to the error handlers. So the chain of
 * mounts that leads to the route is looked up in the routers' stacks. A route that is mounted in one place is looked up
 * once.
 */
export function routeOf(req: IncomingMessage): string | undefined {
  const { route } = req as Routed;
  if (route === undefined) return undefined;
  return patterns.get(route) ?? findPattern(route, req);
}

/** The patterns of the routes that are mounted in one place, with what stands in front of them. */
const patterns = new WeakMap<object, string>();

function patternOf(path: unknown): string {
  return Array.isArray(path) ? path.join('|') : String(path);
}

interface Ways {
  readonly ways: Layer[][];
  /** The router in which they were found, and the number of its layers at that time. */
  readonly root: Router | undefined;
  readonly size: number | undefined;
}

/** The ways to routes that are mounted in several places. */
const severalWays = new WeakMap<object, Ways>();

function findPattern(route: { path?: unknown }, req: Routed): string {
  const own = patternOf(route.path);
  try {
    const path = (req.originalUrl ?? req.url ?? '').replace(/[?#].*$/s, '');
    const ways = knownWaysTo(route, req.app);
    const way = ways.length > 1 ? wayOf(path, ways, req.app) : ways[0];
    const mount = mountOfApp(req.app) + (way ?? []).map((layer) => mountPatternsOf(layer, path)).join('');
    const pattern = mount + own;
    if (!isWhole(pattern, path)) return UNKNOWN + pattern;
    if (ways.length === 1) patterns.set(route, pattern);
    return pattern;
  } catch {
    // Not a router of Express: its stack may hold anything.
    return UNKNOWN + own;
  }
}

/**
 * Whether the pattern covers the path. If the app does not lead to a router, the path has more segments than the
 * pattern.
 */
function isWhole(pattern: string, path: string): boolean {
  return /[*?{|(+]/.test(pattern) || segments(pattern) >= segments(path);
}

function segments(path: string): number {
  return path.split('/').filter((segment) => segment !== '').length;
}

function mountOfApp(app: App | undefined): string {
  if (app?.parent === undefined) return '';
  const path = patternOf(app.mountpath);
  return mountOfApp(app.parent) + (path === '/' ? '' : path);
}

/** Keeps the result until the app mounts something more, because a client may request such a route all the time. */
function knownWaysTo(route: object, app: App | undefined): Layer[][] {
  const root = app?._router ?? app?.router;
  const size = root?.stack.length;
  const known = severalWays.get(route);
  if (known?.root === root && known?.size === size) return known?.ways ?? [];
  const ways = waysTo(route, app);
  if (ways.length > 1) severalWays.set(route, { ways, root, size });
  return ways;
}

/** Every chain of mounts by which a route can be reached from an app. */
function waysTo(route: object, app: App | undefined): Layer[][] {
  const found: Layer[][] = [];
  const visit = (router: Router, way: Layer[], seen: Router[]): void => {
    if (seen.includes(router)) return;
    for (const layer of router.stack) {
      if (layer.route === route) found.push(way);
      else if (isRouter(layer.handle)) visit(layer.handle, [...way, layer], [...seen, router]);
    }
  };
  const root = app?._router ?? app?.router;
  if (root !== undefined) visit(root, [], []);
  return found;
}

function isRouter(handle: unknown): handle is Router {
  return typeof handle === 'function' && Array.isArray((handle as Partial<Router>).stack);
}

/** How many segments of a path are tried as an app's mount. Apps are rarely mounted deeper. */
const MAX_DEPTH = 16;

/** The chain of mounts that can have led to this path, which may begin with the mount of an app. */
function wayOf(path: string, ways: readonly Layer[][], app: App | undefined): Layer[] | undefined {
  const isMounted = app?.parent !== undefined;
  let start = 0;
  // A path of thousands of slashes must not be tried thousands of times.
  for (let depth = 0; start !== -1 && depth <= (isMounted ? MAX_DEPTH : 0); depth++) {
    const rest = path.slice(start);
    const way = ways.find((each) => fits(each, rest));
    if (way) return way;
    start = path.indexOf('/', start + 1);
  }
  return undefined;
}

function fits(way: readonly Layer[], path: string): boolean {
  let rest = path;
  return way.every((layer) => {
    const matched = matchedBy(layer, rest);
    rest = rest.slice(matched?.length);
    return matched !== undefined;
  });
}

function matchedBy(layer: Layer, path: string): string | undefined {
  if (layer.slash === true || layer.regexp?.fast_slash === true) return '';
  if (layer.regexp) return layer.regexp.exec(path)?.[0];
  for (const match of layer.matchers ?? []) {
    const result = match(path);
    if (result) return result.path;
  }
  return undefined;
}
