import type { IncomingMessage, ServerResponse } from 'node:http';
import { wrongType } from '../options';
import { attachLifetime } from '../request/attach-lifetime';
import type { Lifetime } from '../request/lifetime';
import { lifetimeOf } from '../request/lifetime-of';
import { Call, type Shared } from './call';
import { CallLife } from './call-life';
import { KeptSockets } from './kept-sockets';
import type { Undici } from './load-undici';
import { makePlan } from './plan';
import { RetryBudget } from './retry-budget';
import { checkSettings } from './settings';
import { checkOrigin } from './target';
import type { Upstream, UpstreamOptions } from './types';

/** As `upstream()`, with a given undici. */
export function createUpstream(undici: Undici, from: string | URL, options: UpstreamOptions): Upstream {
  const origin = checkOrigin(from);
  const settings = checkSettings(options);
  const sockets = new KeptSockets(undici, origin, settings);
  const shared: Shared = { undici, sockets, budget: new RetryBudget(), counts: { requests: 0, retries: 0 } };
  let closing: Promise<void> | undefined;

  return {
    origin,
    async fetch(req, path, init = {}) {
      const plan = makePlan(undici, origin, settings, path, init);
      const lifetime = lifetimeFor(req, origin);
      if (closing) throw new Error(`upstream('${origin}') has been closed.`);
      shared.counts.requests += 1;
      return new Call(shared, plan, new CallLife(lifetime, plan.signal)).run();
    },
    stats() {
      return {
        origin,
        ...shared.counts,
        resets: { ...sockets.resets },
        budget: shared.budget.tokens,
        keepAlive: { limit: sockets.limit.ms, learned: sockets.limit.learned },
      };
    },
    close() {
      closing ??= sockets.close();
      return closing;
    },
  };
}

/** The request's lifetime; where neither `hangup()` nor `deadline()` has begun one, it begins here. */
function lifetimeFor(req: IncomingMessage | null, origin: string): Lifetime | undefined {
  if (req === null) return undefined;
  if (typeof req !== 'object' || !('headers' in req)) {
    throw wrongType(
      `upstream('${origin}').fetch(): the request`,
      req,
      'the Express request, or null outside of one',
    );
  }
  const { res } = req as { res?: ServerResponse };
  return lifetimeOf(req) ?? (res && attachLifetime(req, res));
}
