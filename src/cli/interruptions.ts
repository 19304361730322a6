import { constants } from 'node:os';

/** The signals by which somebody ends a command: a terminal that is closed, Ctrl-C, and `kill`. */
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/**
 * Calls the listener in place of ending the process, each time that somebody wants to end it, with the exit code that a shell
 * gives for the signal. Returns the function that ends that.
 */
export function whenInterrupted(listener: (exitCode: number) => void): () => void {
  const onSignal = (signal: NodeJS.Signals): void => listener(128 + constants.signals[signal]);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
