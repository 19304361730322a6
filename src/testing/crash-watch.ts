import { runInThisContext } from 'node:vm';

/** A watch over what would end this process. */
export interface CrashWatch {
  /** Takes what has come since the last call, in words. */
  take: () => string[];
  stop: () => void;
}

/**
 * Notes uncaught exceptions and unhandled rejections, and so keeps them from ending the process meanwhile. Listens on
 * Node's own `process`: Jest puts a copy in its place, which hears nothing.
 */
export function watchCrashes(): CrashWatch {
  const real = runInThisContext('process') as NodeJS.Process;
  let seen: string[] = [];
  const note =
    (what: string) =>
    (error: unknown): void => {
      seen.push(`${what} ${describe(error)}`);
    };
  const onException = note('uncaught exception');
  const onRejection = note('unhandled rejection');
  real.on('uncaughtException', onException);
  real.on('unhandledRejection', onRejection);
  return {
    take: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    stop: () => {
      real.off('uncaughtException', onException);
      real.off('unhandledRejection', onRejection);
    },
  };
}

function describe(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { name = 'Error', code, message = '' } = error as { name?: string; code?: unknown; message?: string };
  return `${name}${typeof code === 'string' ? ` ${code}` : ''} (${message})`;
}
