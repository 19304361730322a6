import type { UpstreamInfo } from './fault';

// A WeakMap keyed by the error: errors may be frozen, and no log may show this information by accident.
const known = new WeakMap<object, UpstreamInfo>();

/** Notes which upstream an error came from. New fields are added to what is known already. */
export function rememberUpstream(error: unknown, info: UpstreamInfo): void {
  if (typeof error !== 'object' || error === null) return;
  known.set(error, { ...known.get(error), ...info });
}

/** The upstream that `rememberUpstream()` has noted for this very error object (causes are not searched). */
export function upstreamOf(error: unknown): UpstreamInfo | undefined {
  return typeof error === 'object' && error !== null ? known.get(error) : undefined;
}
