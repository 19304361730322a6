import { runInThisContext } from 'node:vm';

/** A watch over errors that would end this process. */
export interface CrashWatch {
  /** Returns the errors since the last call, in words. */
  take: () => string[];
  stop: () => void;
}

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Notes uncaught exceptions and unhandled rejections instead of all other listeners: a test runner would fail its test at once,
 * and without a listener the process would end. It listens on Node's own `process`, because Jest replaces it by a copy that
 * gets no such events.
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
