import { isReasonOf } from './abort-listeners';

/** A Node callback. */
export type Done = (error: unknown, result?: unknown) => void;

/**
 * The promise of work that ends in a callback. It rejects with the very reason of a signal, also where that is no Error.
 *
 * A driver's own error is created where its socket is read, so its stack does not name the app's code. As `pg` does
 * for its promises, it gets the stack of the code that awaits the query. A signal's reason is shared by all its
 * listeners, so it stays unchanged.
 */
export function promised(signals: readonly AbortSignal[], work: (done: Done) => void): Promise<unknown> {
  return new Promise<unknown>((resolve, reject) => {
    work((error, result) => {
      if (error === undefined || error === null) resolve(result);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason may be anything
      else reject(error);
    });
  }).catch((error: unknown) => {
    if (error instanceof Error && !isReasonOf(signals, error)) Error.captureStackTrace(error);
    throw error;
  });
}
