import { reach, type Target } from '../client/client-target';
import { faultyUpstream } from '../upstream/faulty-upstream';
import { watchCrashes } from '../watches/crash-watch';
import type { RunPlace } from './play/conversation';
import { conformancePlan, type ConformanceOptions } from './plan';
import { playAll } from './play/play-all';
import { resultOf, type ConformanceResult } from './result';
import type { ConformanceUpstream } from './upstream';

/** What a run may be told from outside of the process of the app. */
export interface Outside {
  /** What ended the app's process since the last call, in words. */
  takeCrashes: () => Promise<string[]>;
  /** Sees to it that the app runs before the next cell; `undefined` where it does. In words why it cannot. */
  revive: () => Promise<string | undefined>;
}

/**
 * Plays the fault matrix against a route of an app: each fault of its upstream, each way in which a client stays or leaves,
 * each method; and judges for every cell what client and upstream have seen. What is wrong is played again alone before it is
 * called wrong. Takes an app, a server, or the URL of one that runs. Throws an Error where the route does not work while its
 * upstream is well, because then nothing else means anything; a TypeError or RangeError for a wrong option.
 */
export async function conformance(
  target: Target,
  options: ConformanceOptions = {},
): Promise<ConformanceResult> {
  return runConformance(target, options, undefined);
}

/** The same with eyes in the process of the app, where it is another one. */
export async function runConformance(
  target: Target,
  options: ConformanceOptions,
  outside: Outside | undefined,
): Promise<ConformanceResult> {
  const plan = conformancePlan(options);
  const lent = typeof options.upstream === 'function' ? undefined : options.upstream;
  refusePromise(lent);
  const own = typeof options.upstream === 'function' ? await faultyUpstream() : undefined;
  const crashes = watchCrashes();
  try {
    if (own && typeof options.upstream === 'function') await options.upstream(own.url);
    const { url, release } = await reach(target, plan.protocol);
    try {
      const takeCrashes = async (): Promise<string[]> => [
        ...crashes.take(),
        ...((await outside?.takeCrashes()) ?? []),
      ];
      const run: RunPlace = { plan, url, upstream: own ?? lent, takeCrashes, nextNumber: numbers() };
      return resultOf(plan, url, await playAll(run, outside?.revive), run.upstream !== undefined);
    } finally {
      release();
    }
  } finally {
    crashes.stop();
    lent?.use(undefined);
    await own?.close();
  }
}

/** Tells somebody who has forgotten to wait. */
function refusePromise(upstream: ConformanceUpstream | undefined): void {
  if (upstream === undefined || typeof upstream.use === 'function') return;
  const isPromise = typeof (upstream as unknown as Partial<Promise<unknown>>).then === 'function';
  throw new TypeError(
    isPromise
      ? 'conformance(): upstream is a promise: write `await faultyUpstream()`.'
      : 'conformance(): upstream must be a faultyUpstream(), a faultyTcp(), or a function that is given a URL.',
  );
}

function numbers(): () => string {
  let last = 0;
  return () => `c${String(++last).padStart(6, '0')}`;
}
