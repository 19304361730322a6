/** A Node callback. */
export type Done = (error: unknown, result?: unknown) => void;

/** The promise of work that ends in a callback. It rejects with the very reason that the work gives, also where that is no Error. */
export function promised(work: (done: Done) => void): Promise<unknown> {
  return new Promise<unknown>((resolve, reject) => {
    work((error, result) => {
      if (error === undefined || error === null) resolve(result);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason may be anything
      else reject(error);
    });
  });
}
