import { setTimeout as pause } from 'node:timers/promises';
import type { HaproxyApi, Counts } from './haproxy-api';
import { otherSlot } from './haproxy-config';
import { isAlive, probe } from './instance';
import type { Placed } from './record';
import type { RolloutConfig } from './rollout-config';
import { BACKEND } from './traffic-shift';

/** The pause between two checks of a version, in milliseconds. */
const PAUSE_MS = 100;

/** One probe may fail because of a garbage collection or the deploy's own load. Two failures in a row count. */
const PROBES_TO_FAIL = 2;

/** Says in its message why a version must not serve. */
export class BadVersion extends Error {}

/** Waits until a version answers its readiness with 200 often enough in a row, and its checks below 500. */
export async function becomesReady(
  version: Placed,
  config: RolloutConfig,
  signal: AbortSignal,
): Promise<void> {
  const giveUpAt = performance.now() + config.readyWithin;
  let inARow = 0;
  while (inARow < config.readyTimes) {
    signal.throwIfAborted();
    if (!isAlive(version)) throw new BadVersion('it has ended before it was ready: see app.log');
    if (performance.now() > giveUpAt)
      throw new BadVersion(`it was not ready within ${config.readyWithin} ms`);
    inARow = (await probe(version.port, config.readiness)) === 200 ? inARow + 1 : 0;
    await pause(PAUSE_MS);
  }
  for (const path of config.checks) {
    const status = await probe(version.port, path);
    if (status === 0 || status >= 500) throw new BadVersion(`it answers ${path} with ${status || 'nothing'}`);
  }
}

/**
 * Watches a version that has traffic for `ms`. Its process must run, it must be ready, and it must not answer with more
 * errors than the other version. Its readiness is requested directly: HAProxy's own "UP" may be out of date.
 */
export async function staysGood(
  version: Placed,
  { ms, config, api, signal }: { ms: number; config: RolloutConfig; api: HaproxyApi; signal: AbortSignal },
): Promise<void> {
  const counts = (slot: string): Promise<Counts> => api.counts(BACKEND, slot);
  const [own, other] = [version.slot, otherSlot(version.slot)];
  const [ownBefore, otherBefore] = [await counts(own), await counts(other)];
  const until = performance.now() + ms;
  let failures = 0;
  do {
    signal.throwIfAborted();
    if (!isAlive(version)) throw new BadVersion('it has ended: see app.log');
    const status = await probe(version.port, config.readiness);
    failures = status === 200 ? 0 : failures + 1;
    if (failures >= PROBES_TO_FAIL) throw new BadVersion(`its readiness answers ${status || 'nothing'}`);
    const mine = since(ownBefore, await counts(own));
    const theirs = since(otherBefore, await counts(other));
    if (percent(mine) > percent(theirs) + config.moreErrors) {
      throw new BadVersion(`${shown(mine)}, of the old version's ${shown(theirs)}`);
    }
    await pause(PAUSE_MS);
  } while (performance.now() < until || failures > 0);
}

/** The counts since `before`. */
export function since(before: Counts, now: Counts): Counts {
  return { requests: now.requests - before.requests, errors: now.errors - before.errors };
}

// A request that was tried again elsewhere does not count as answered by this version.
function percent({ requests, errors }: Counts): number {
  return errors === 0 ? 0 : (errors * 100) / Math.max(requests, errors);
}

function shown({ requests, errors }: Counts): string {
  return `${errors} of ${Math.max(requests, errors)} answers were errors`;
}
