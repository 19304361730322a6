import { abortedReason, onAbort } from './abort-listeners';
/** A Node callback, of one result or several. */
export type Callback = (error: unknown, ...results: unknown[]) => void;

/** Runs a pool's query. The caller is told of an abort at once; the connection stays taken until the query is over. */
export function runAborted(
  signals: readonly AbortSignal[],
  run: (done: Callback) => unknown,
  done: Callback,
): void {
  const aborted = abortedReason(signals);
  if (aborted) {
    process.nextTick(done, aborted.reason);
    return;
  }
  let isTold = false;
  const tell = (...args: [error: unknown, ...results: unknown[]]): void => {
    if (isTold) return;
    isTold = true;
    off();
    done(...args);
  };
  const off = onAbort(signals, (reason) => tell(reason));
  run(tell);
}

/** Defines a method on an object that has one of that name from its class. */
export function redefine(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, enumerable: false, writable: true });
}

/** The function among a call's last two arguments: its callback. */
export function callbackIn(first: unknown, second: unknown): Callback | undefined {
  if (typeof first === 'function') return first as Callback;
  return typeof second === 'function' ? (second as Callback) : undefined;
}
