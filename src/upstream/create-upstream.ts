import type { IncomingMessage, ServerResponse } from 'node:http';
import { wrongType } from '../options';
import { attachLifetime } from '../request/attach-lifetime';
import type { Lifetime } from '../request/lifetime/lifetime';
import { lifetimeOf } from '../request/lifetime/lifetime-of';
import { planFetch, planRequest } from './call/call-plan';
import { CallScope } from './call/call-scope';
import { signalMaker } from './transport/call-signal';
import { fetchTransport } from './transport/fetch-transport';
import { requestTransport } from './transport/request-transport';
import { UpstreamCall, type Shared } from './call/upstream-call';
import type { Undici } from './load-undici';
import { Balancer } from './origins/balancer';
import { RetryBudget } from './retry/retry-budget';
import { checkSettings } from './settings/settings';
import { checkOrigins } from './settings/target';
import type { Upstream, UpstreamOptions, UpstreamStats } from './types';

/** As `upstream()`, with a given undici. */
export function createUpstream(undici: Undici, from: unknown, options: UpstreamOptions): Upstream {
  const origins = checkOrigins(from);
  const [origin] = origins;
  const settings = checkSettings(options);
  const shared: Shared = {
    undici,
    newSignal: signalMaker(undici),
    balancer: new Balancer(undici, origins, settings, settings.outlierRules),
    budget: new RetryBudget(),
    counts: { requests: 0, retries: 0, replays: 0 },
    isClosed: false,
  };
  const where = `upstream('${origin}')`;
  const names = { fetch: `${where}.fetch()`, request: `${where}.request()` };
  let closing: Promise<void> | undefined;

  const begin = (req: IncomingMessage | null, name: string, signal: AbortSignal | undefined): CallScope => {
    const lifetime = lifetimeFor(req, name);
    if (shared.isClosed) throw new Error(`${where} has been closed.`);
    shared.counts.requests += 1;
    return new CallScope(lifetime, signal);
  };

  return {
    origin,
    // Not async: each further promise between undici's and the caller's costs a microtask and memory.
    fetch(req, path, init) {
      return orRejection(() => {
        const plan = planFetch(undici, settings, names.fetch, req, path, init);
        return new UpstreamCall(shared, fetchTransport, plan, begin(req, names.fetch, plan.signal)).run();
      });
    },
    request(req, path, init) {
      return orRejection(() => {
        const plan = planRequest(undici, settings, names.request, req, path, init);
        return new UpstreamCall(shared, requestTransport, plan, begin(req, names.request, plan.signal)).run();
      });
    },
    stats: () => statsOf(origin, shared),
    close() {
      shared.isClosed = true;
      closing ??= shared.balancer.close();
      return closing;
    },
  };
}

function statsOf(origin: string, { balancer, budget, counts }: Shared): UpstreamStats {
  const endpoints = balancer.endpoints.map((endpoint) => endpoint.stats());
  const limits = endpoints.map(({ keepAlive }) => keepAlive);
  return {
    origin,
    ...counts,
    resets: { ...balancer.resets },
    budget: budget.tokens,
    keepAlive: limits.reduce((lowest, limit) => (limit.limit < lowest.limit ? limit : lowest)),
    endpoints,
  };
}

/** Turns an error that `call` throws into a rejection, as an async function does. */
function orRejection<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what was thrown, as an async function does
    return Promise.reject(error);
  }
}

/** The request's lifetime. It begins here if neither `hangup()` nor `deadline()` has begun one. */
function lifetimeFor(req: IncomingMessage | null, name: string): Lifetime | undefined {
  if (req === null) return undefined;
  if (typeof req !== 'object' || !('headers' in req)) {
    throw wrongType(`${name}: the request`, req, 'the Express request, or null outside of one');
  }
  const { res } = req as { res?: ServerResponse };
  return lifetimeOf(req) ?? (res && attachLifetime(req, res));
}
