import { inspect } from 'node:util';

/** Reports an error of an app's hook as a process warning, so that the drain goes on and the error is not hidden. */
export function warnOfHook(name: string, error: unknown): void {
  process.emitWarning(`drainable(): option "${name}" has thrown`, {
    type: 'HangupWarning',
    detail: inspect(error),
  });
}

/** Runs one of the app's hooks, which may be async. */
export function runHook(name: string, hook: () => unknown): void {
  const ran = new Promise((resolve) => resolve(hook()));
  ran.catch((error: unknown) => warnOfHook(name, error));
}
