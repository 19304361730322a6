import type { CallScope } from './call-scope';
import type { Transport } from '../transport/transport';

/** How long a response may lie unread that has come after its request was answered. */
const UNCLAIMED_MS = 1000;

/**
 * Gives up what a request leaves unread of a response when it is over, and frees the connection: `if (!r.ok) return
 * res.sendStatus(404)` would keep it until a garbage collection. What somebody is reading then goes on.
 */
export function discardUnread<Response>(
  scope: CallScope,
  transport: Transport<Response, never>,
  response: Response,
): void {
  const discard = (): void => {
    if (!transport.isBeingRead(response)) transport.discard(response);
  };
  // Work that goes on behind an answered request has to have the time to begin reading.
  if (scope.isLate) setTimeout(discard, UNCLAIMED_MS).unref();
  else scope.onSettle(discard);
}
