import type { IncomingMessage } from 'node:http';

interface Routed extends IncomingMessage {
  route?: { path?: unknown };
  baseUrl?: string;
  params?: Record<string, unknown>;
}

/**
 * The pattern of the route that a request has reached, `/users/:id`; `undefined` before any route has matched. Express
 * keeps the path at which a router is mounted as it was asked for, not as a pattern: a part of it that is the value of a
 * parameter is put back to the parameter's name.
 */
export function routeOf(req: IncomingMessage): string | undefined {
  const { route, baseUrl = '', params } = req as Routed;
  if (route === undefined) return undefined;
  const path = Array.isArray(route.path) ? route.path.join('|') : String(route.path);
  return patternOf(baseUrl, params) + path;
}

function patternOf(baseUrl: string, params: Record<string, unknown> | undefined): string {
  if (baseUrl === '' || params === undefined) return baseUrl;
  const names = new Map(Object.entries(params).map(([name, value]) => [value, name]));
  return baseUrl
    .split('/')
    .map((part) => {
      const name = names.get(part);
      return part !== '' && name !== undefined ? `:${name}` : part;
    })
    .join('/');
}
