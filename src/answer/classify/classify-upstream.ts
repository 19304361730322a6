import type { ErrorFacts } from './error-chain';
import type { UpstreamInfo } from '../fault';
import { upstreamOf } from '../upstream-info';

/**
 * Merges what `upstream()`, `hangupProxy()` and `diagnose()` have noted about the errors of a chain. The innermost
 * error takes precedence. If several upstreams failed (an AggregateError), the result is about the one whose error
 * decided.
 */
export function upstreamIn(chain: readonly ErrorFacts[], decidedAt = 0): UpstreamInfo | undefined {
  const known = chain.map(({ error }) => upstreamOf(error));
  const decisive = known.slice(0, decidedAt + 1).findLast(Boolean) ?? known.find(Boolean);
  if (!decisive) return undefined;
  const ofSameOrigin = known.filter((info) => info?.origin === decisive.origin);
  return Object.assign({}, ...ofSameOrigin) as UpstreamInfo;
}
