import { checkNames, milliseconds } from '../options';

/** The options of `abortable()`. */
export interface AbortableOptions {
  /**
   * How long the database may take to end a query, in ms. It covers connecting for the cancel, its answer, and the
   * end of the query. When it is over, the query's connection is closed. Default 5,000.
   */
  cancelTimeout?: number;
}

const DEFAULT_CANCEL_TIMEOUT_MS = 5000;

/** Checks the options of `abortable()`; gives the time that a cancel may take, in ms. */
export function cancelTimeoutOf(options: AbortableOptions): number {
  checkNames('abortable(pool, options)', options, ['cancelTimeout']);
  const { cancelTimeout = DEFAULT_CANCEL_TIMEOUT_MS } = options;
  return milliseconds('abortable(pool, options): cancelTimeout', cancelTimeout, { min: 1 });
}
