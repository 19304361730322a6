import { reach, type Target } from '../client/client-target';
import { faultyUpstream } from '../upstream/faulty-upstream';
import { watchCrashes } from '../watches/crash-watch';
import type { RunPlace } from './play/conversation';
import { conformancePlan, type ConformanceOptions } from './plan';
import { playAll } from './play/play-all';
import { resultOf, type ConformanceResult } from './result';
import type { ConformanceUpstream } from './upstream';

/** Lets a run watch and restart an app in another process. */
export interface Outside {
  /** What ended the app's process since the last call, in words. */
  takeCrashes: () => Promise<string[]>;
  /** Makes sure that the app runs before the next cell. Resolves to `undefined`, or to the reason why it cannot run. */
  revive: () => Promise<string | undefined>;
}

/**
 * Plays the fault matrix against a route of an app: each fault of its upstream, each way in which a client stays or leaves,
 * each method. It judges every cell by what client and upstream have seen. A cell that looks wrong is played again, alone,
 * before it is called wrong. Takes an app, a server, or the URL of a running one. Throws an Error if the route does not work
 * without a fault, because nothing could be judged then, and a TypeError or RangeError for a wrong option.
 */
export async function conformance(
  target: Target,
  options: ConformanceOptions = {},
): Promise<ConformanceResult> {
  return runConformance(target, options, undefined);
}

/** The same for an app in another process, which `outside` watches and restarts. */
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

/** Refuses a promise of an upstream: the caller has forgotten `await`. */
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
