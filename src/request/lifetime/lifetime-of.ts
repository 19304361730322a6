import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Lifetime } from './lifetime';
import { Stamped } from '../../private-field';

/** A request's lifetime is kept on its response; without Express, on the request too. */
class LifetimeStamp extends Stamped {
  #lifetime: Lifetime;

  constructor(object: object, lifetime: Lifetime) {
    super(object);
    this.#lifetime = lifetime;
  }

  static put(object: object, lifetime: Lifetime): void {
    // Most have none, and V8 takes long to find that out (25 ns, Node 24).
    try {
      new LifetimeStamp(object, lifetime);
    } catch {
      (object as LifetimeStamp).#lifetime = lifetime;
    }
  }

  static on(object: object): Lifetime | undefined {
    return #lifetime in object ? object.#lifetime : undefined;
  }
}

/** Whether any lifetime is kept on a request. In an app of Express none is, and no request needs to be asked. */
let isAnyOnRequest = false;

/** Keeps a lifetime on its response. */
export function stampResponse(res: ServerResponse, lifetime: Lifetime): void {
  LifetimeStamp.put(res, lifetime);
}

/** Keeps a lifetime on a request that has no `res` because Express is not used. */
export function stampRequest(req: IncomingMessage, lifetime: Lifetime): void {
  isAnyOnRequest = true;
  LifetimeStamp.put(req, lifetime);
}

/** The lifetime that is kept on this very response. */
export function lifetimeOn(res: ServerResponse): Lifetime | undefined {
  return LifetimeStamp.on(res);
}

/**
 * The lifetime of a response. If an app has wrapped the response in a Proxy, its `req` leads to the response
 * itself.
 */
export function lifetimeBehind(res: ServerResponse): Lifetime | undefined {
  const lifetime = LifetimeStamp.on(res);
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
  const lifetime = res ? LifetimeStamp.on(res) : undefined;
  return lifetime === undefined && isAnyOnRequest ? LifetimeStamp.on(req) : lifetime;
}
