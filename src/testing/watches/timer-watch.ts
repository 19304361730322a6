import { createHook } from 'node:async_hooks';
import {
  callSite,
  firstTelling,
  isInstalled,
  isNodes,
  isOwn,
  isTestRunners,
  type CallSite,
} from './call-site';
import type { Leak } from './leak';

interface WatchedTimer {
  timer: { hasRef?: () => boolean; _idleTimeout?: number };
  site: CallSite;
}

/**
 * Watches every timer that is set from now on, also unref'd ones, which nothing else in Node shows. It does not count the
 * timers of Node itself and of a test runner. Of installed packages, it does not count unref'd timers, nor one timer of each
 * line of code for each request that was served at the same time (pg-pool's idle timers keep the process alive).
 */
export class TimerWatch {
  readonly #timers = new Map<number, WatchedTimer>();
  readonly #hook = createHook({
    init: (id, type, _trigger, resource) => {
      if (type !== 'Timeout') return;
      this.#timers.set(id, { timer: resource, site: callSite() });
    },
    destroy: (id) => {
      this.#timers.delete(id);
    },
  }).enable();

  /** @param atOnce how many requests were served at the same time: so many timers of one place a package's pool may have. */
  leaks(atOnce: number): Leak[] {
    const leaks: Leak[] = [];
    const kept = new Map<string, number>();
    for (const { timer, site } of this.#timers.values()) {
      const frames = outsideOfTimers(site.frames());
      const caller = frames[0];
      if (caller === undefined || isNodes(caller) || isOwn(caller) || isTestRunners(caller)) continue;
      const held = timer.hasRef?.() ?? true;
      const count = (kept.get(caller) ?? 0) + 1;
      kept.set(caller, count);
      if (isInstalled(caller) && (!held || count <= atOnce)) continue;
      const length = timer._idleTimeout === undefined ? '' : ` of ${timer._idleTimeout} ms`;
      leaks.push({
        kind: 'timer',
        what: `a timer${length} that was not cleared`,
        where: firstTelling(frames),
      });
    }
    return leaks;
  }

  stop(): void {
    this.#hook.disable();
    this.#timers.clear();
  }
}

/** The frames from the caller of setTimeout(), setInterval() or their promise versions outwards. */
function outsideOfTimers(frames: string[]): string[] {
  const inside = frames.slice(frames.findIndex((frame) => frame.includes('node:internal/timers')));
  const first = inside.findIndex(
    (frame) => !/node:(internal\/)?timers/.test(frame) && !frame.includes('new Promise (<anonymous>)'),
  );
  return first < 0 ? [] : inside.slice(first);
}
