import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Lifetime } from './lifetime';
import { privateField } from '../../private-field';

/** A request's lifetime is kept on its response; without Express, on the request too. */
const lifetimes = privateField<Lifetime>();

/** Keeps a lifetime on its response, or on a request that has no `res` because Express is not used. */
export function stampLifetime(object: object, lifetime: Lifetime): void {
  lifetimes.set(object, lifetime);
}

/** The lifetime that is kept on this very object. */
export function lifetimeOn(object: object): Lifetime | undefined {
  return lifetimes.get(object);
}

/**
 * The lifetime of a response. If an app has wrapped the response in a Proxy, its `req` leads to the response
 * itself.
 */
export function lifetimeBehind(res: ServerResponse): Lifetime | undefined {
  const lifetime = lifetimes.get(res);
  if (lifetime !== undefined) return lifetime;
  const req = res.req as typeof res.req | undefined;
  return req === undefined ? undefined : lifetimeOf(req);
}

/** The lifetime that `hangup()` or `deadline()` has attached to this request. */
export function lifetimeOf(
  req: IncomingMessage & { res?: ServerResponse | null | undefined },
): Lifetime | undefined {
  // Express leads from a request to its response. engine.io (socket.io) sets `req.res` too, and `null` after each poll.
  const { res } = req;
  return (res ? lifetimes.get(res) : undefined) ?? lifetimes.get(req);
}
