import { runInThisContext } from 'node:vm';

/** A watch over what would end this process. */
export interface CrashWatch {
  /** Takes what has come since the last call, in words. */
  take: () => string[];
  stop: () => void;
}

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Notes uncaught exceptions and unhandled rejections in place of everybody else who listens for them: a test runner would
 * fail its test at once, and without a listener the process would end. Listens on Node's own `process`: Jest puts a copy in
 * its place, which hears nothing.
 */
export function watchCrashes(): CrashWatch {
  const real = runInThisContext('process') as NodeJS.Process;
  let seen: string[] = [];
  const notes = EVENTS.map((event) => {
    const others = real.listeners(event as 'exit');
    const name = event === 'uncaughtException' ? 'uncaught exception' : 'unhandled rejection';
    const note = (error: unknown): void => {
      seen.push(`${name} ${describe(error)}`);
    };
    real.removeAllListeners(event);
    real.on(event, note);
    return { event, note, others };
  });
  return {
    take: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    stop: () => {
      for (const { event, note, others } of notes) {
        real.off(event, note);
        for (const other of others) real.on(event, other as () => void);
      }
    },
  };
}

function describe(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { name = 'Error', code, message = '' } = error as { name?: string; code?: unknown; message?: string };
  return `${name}${typeof code === 'string' ? ` ${code}` : ''} (${message})`;
}
