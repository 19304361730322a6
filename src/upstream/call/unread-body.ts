import type { CallScope } from './call-scope';
import type { Transport } from '../transport/transport';

/** How long a response that arrives after its request was answered may stay unread. */
const UNCLAIMED_MS = 1000;

/**
 * Discards a response's unread body when the request is over, so that its connection is free again. Without this,
 * `if (!r.ok) return res.sendStatus(404)` would keep the connection until a garbage collection. A body that is being read
 * is left alone.
 */
export function discardUnread<Response>(
  scope: CallScope,
  transport: Transport<Response, never>,
  response: Response,
): void {
  const discard = (): void => {
    if (!transport.isBeingRead(response)) transport.discard(response);
  };
  // Work that goes on after the answer gets time to begin reading.
  if (scope.isLate) setTimeout(discard, UNCLAIMED_MS).unref();
  else scope.onSettle(discard);
}
