import type { UpstreamInfo } from './fault';

// Keyed by the error object, because errors may be frozen and because nothing of it may show up in a log by accident.
const known = new WeakMap<object, UpstreamInfo>();

/** Notes which upstream an error came from; what is already known of it stays, what is new is added. */
export function rememberUpstream(error: unknown, info: UpstreamInfo): void {
  if (typeof error !== 'object' || error === null) return;
  known.set(error, { ...known.get(error), ...info });
}

/** What `rememberUpstream()` has noted for this very error object (causes are not searched). */
export function upstreamOf(error: unknown): UpstreamInfo | undefined {
  return typeof error === 'object' && error !== null ? known.get(error) : undefined;
}
