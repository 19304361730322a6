import type { ErrorFacts } from './error-chain';
import type { UpstreamInfo } from '../fault';
import { upstreamOf } from '../upstream-info';

/**
 * What `upstream()`, `hangupProxy()` and `diagnose()` have noted of the errors of a chain, put together. The innermost
 * knows best. Where several upstreams failed (an AggregateError), it is about the one whose error has decided.
 */
export function upstreamIn(chain: readonly ErrorFacts[], decidedAt = 0): UpstreamInfo | undefined {
  const known = chain.map(({ error }) => upstreamOf(error));
  const decisive = known.slice(0, decidedAt + 1).findLast(Boolean) ?? known.find(Boolean);
  if (!decisive) return undefined;
  const ofSameOrigin = known.filter((info) => info?.origin === decisive.origin);
  return Object.assign({}, ...ofSameOrigin) as UpstreamInfo;
}
