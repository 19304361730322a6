import type { IncomingMessage, ServerResponse } from 'node:http';
import { wrongType } from '../options';
import { attachLifetime } from '../request/attach-lifetime';
import type { Lifetime } from '../request/lifetime';
import { lifetimeOf } from '../request/lifetime-of';
import { UpstreamCall, type Shared } from './call/upstream-call';
import { CallScope } from './call/call-scope';
import { LearningPool } from './sockets/learning-pool';
import type { Undici } from './load-undici';
import { makeCallPlan } from './call/call-plan';
import { RetryBudget } from './retry/retry-budget';
import { checkSettings } from './settings/settings';
import { checkOrigin } from './settings/target';
import type { Upstream, UpstreamOptions } from './types';

/** As `upstream()`, with a given undici. */
export function createUpstream(undici: Undici, from: string | URL, options: UpstreamOptions): Upstream {
  const origin = checkOrigin(from);
  const settings = checkSettings(options);
  const sockets = new LearningPool(undici, origin, settings);
  const shared: Shared = { undici, sockets, budget: new RetryBudget(), counts: { requests: 0, retries: 0 } };
  let closing: Promise<void> | undefined;

  return {
    origin,
    async fetch(req, path, init = {}) {
      const plan = makeCallPlan(undici, origin, settings, path, init);
      const lifetime = lifetimeFor(req, origin);
      if (closing) throw new Error(`upstream('${origin}') has been closed.`);
      shared.counts.requests += 1;
      return new UpstreamCall(shared, plan, new CallScope(lifetime, plan.signal)).run();
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
