import { dirname, join } from 'node:path';

/** How the paths of this kit's code begin: a folder in `src`, files of that name in `dist`. */
const KIT = dirname(__dirname);

/** With `propagate`, frames of this folder lie between the caller and Node. They are not the caller. */
const PROPAGATION = join(dirname(dirname(__dirname)), 'propagate');

/** Where something was called. The stack is formatted only when it is read, because formatting is expensive. */
export interface CallSite {
  /** The frames from the caller outwards, as V8 writes them. */
  frames: () => string[];
}

/** Notes where it is called from. */
export function callSite(): CallSite {
  const limit = Error.stackTraceLimit;
  // Node's own frames between a hook and the caller take about ten.
  Error.stackTraceLimit = 24;
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, callSite);
  Error.stackTraceLimit = limit;
  return {
    frames: () =>
      (holder.stack ?? '')
        .split('\n')
        .slice(1)
        .filter((line) => !line.includes(PROPAGATION))
        .map((line) => line.trim().replace(/^at /, '')),
  };
}

/** Whether a frame lies in Node or in the engine (`Array.map (<anonymous>)`). */
export function isNodes(frame: string): boolean {
  return /(^|\()node:/.test(frame) || frame.endsWith('(<anonymous>)');
}

/** Whether a frame lies in this kit. The kit's own clients and servers are not watched. */
export function isOwn(frame: string): boolean {
  return frame.includes(KIT);
}

/** Whether a frame lies in an installed package. */
export function isInstalled(frame: string): boolean {
  return /[\\/]node_modules[\\/]/.test(frame);
}

/** Whether a frame lies in a test runner, whose own timers come and go with every test. */
export function isTestRunners(frame: string): boolean {
  return /[\\/]node_modules[\\/](@jest|jest|@vitest|vitest|mocha|tinypool|vite-node)[^\\/]*[\\/]/.test(frame);
}

/** The frame to show: the first in the application, else the first in a package. */
export function firstTelling(frames: readonly string[]): string | undefined {
  const told = frames.filter((frame) => !isNodes(frame) && !isOwn(frame));
  return told.find((frame) => !isInstalled(frame)) ?? told[0];
}
