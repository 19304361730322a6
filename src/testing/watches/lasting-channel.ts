import { channel, type Channel } from 'node:diagnostics_channel';
import { runInThisContext } from 'node:vm';

// Held by the process and not by this module: Jest loads the kit anew for each test file, in a context that it lets go
// afterwards. The set is made outside of that context, so that it does not hold it.
const KEPT = "globalThis[Symbol.for('express-hangup.testing.channels')] ??= new Set()";

/**
 * The channel of that name, kept for as long as the process lives. Node 20 takes a channel out of its list by name when an
 * object of that name is collected, even if a newer one has taken its place: who publishes has the newer one, and who
 * subscribes later never hears of it.
 */
export function lastingChannel(name: string): Channel {
  const lasting = channel(name);
  (runInThisContext(KEPT) as Set<Channel>).add(lasting);
  return lasting;
}
