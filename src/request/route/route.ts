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

/** Stands for a part of a path of which no pattern is known. What a client has asked for is never given out. */
const UNKNOWN = '/*';

/**
 * The pattern of the route that a request has reached, with the patterns in front of it at which its router and app are
 * mounted: `/api/:version/users/:id`. `undefined` before any route has matched.
 *
 * Express keeps the path of a mount as the client asked for it, and forgets it on the way to the error handlers. So the
 * way to the route is looked up in the routers' stacks, once for a route that is mounted in one place.
 */
export function routeOf(req: IncomingMessage): string | undefined {
  const { route } = req as Routed;
  if (route === undefined) return undefined;
  return mountOf(route, req) + patternOf(route.path);
}

function patternOf(path: unknown): string {
  return Array.isArray(path) ? path.join('|') : String(path);
}

const mounts = new WeakMap<object, string>();

function mountOf(route: { path?: unknown }, req: Routed): string {
  const known = mounts.get(route);
  if (known !== undefined) return known;
  try {
    const path = (req.originalUrl ?? req.url ?? '').replace(/[?#].*$/s, '');
    const ways = waysTo(route, req.app);
    const way = ways.length > 1 ? ways.find((each) => fits(each, path)) : ways[0];
    const mount = mountOfApp(req.app) + (way ?? []).map((layer) => mountPatternsOf(layer, path)).join('');
    if (!isWhole(mount + patternOf(route.path), path)) return UNKNOWN + mount;
    if (ways.length === 1) mounts.set(route, mount);
    return mount;
  } catch {
    // Not a router of Express: whatever its stack holds.
    return UNKNOWN;
  }
}

/** A router may hang where nobody can see it from the app: then there is more of a path than of patterns. */
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

/** Whether a chain of mounts can have led to this path, which may begin with the mount of an app. */
function fits(way: Layer[], path: string): boolean {
  const starts = Array.from(path.matchAll(/\//g), ({ index }) => index);
  return starts.some((start) => {
    let rest = path.slice(start);
    return way.every((layer) => {
      const matched = matchedBy(layer, rest);
      rest = rest.slice(matched?.length);
      return matched !== undefined;
    });
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
