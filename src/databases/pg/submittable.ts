import type { QueuedCall } from '../call';
import type { ConnectionGuard } from '../connection-guard';

type Handler = (...args: unknown[]) => unknown;

/** A query object of `pg`: a Query, a cursor, a QueryStream, a COPY stream. */
export interface Submittable {
  submit: Handler;
  callback?: (error: unknown, result?: unknown) => void;
  text?: unknown;
  handleError: Handler;
  handleReadyForQuery?: Handler;
  /** Of streams. */
  destroy?: (error?: unknown) => unknown;
  destroyed?: boolean;
  write?: Handler;
  unpipe?: () => unknown;
  resume?: () => unknown;
  /** Of pg-cursor: `idle` while the rows that were asked for have come, and the database waits. */
  state?: unknown;
  /** Of pg-query-stream. */
  cursor?: { state?: unknown; _cb?: unknown };
  /** Of pg-cursor: who waits for rows. `state` says `idle` also while the first rows are on their way. */
  _cb?: unknown;
}

/**
 * A cursor or stream as a call. It tells `pg` how it ended by its own methods, which are watched here; an error that comes of
 * an abort reaches it as the request's reason.
 */
export function submittableCall(
  query: Submittable,
  signals: readonly AbortSignal[],
  guard: ConnectionGuard,
  send: () => void,
): QueuedCall {
  const { handleError } = query;
  const state: AbortState = { aborted: undefined, isFailed: false };
  const call: QueuedCall = {
    signals,
    text: textOf(query),
    send() {
      if (signals.length > 0) watchEnd(query, state, (error) => guard.over(call, error, undefined));
      send();
    },
    interrupt(reason) {
      state.aborted = { reason };
      return endByItself(query, reason, (error) => {
        state.isFailed = true;
        handleError.call(query, error);
      });
    },
    // A COPY to this process that has been destroyed reads no more, and so never sees its end.
    isStuck: () => isCopyOut(query) && query.destroyed === true,
    abort(reason) {
      // If it was sent, its caller has been told already.
      if (state.aborted === undefined) process.nextTick(() => query.handleError(reason));
    },
  };
  return call;
}

interface AbortState {
  aborted: { reason: unknown } | undefined;
  /** The caller was told of the abort before the database had ended it. */
  isFailed: boolean;
}

function watchEnd(query: Submittable, state: AbortState, over: (error: unknown) => void): void {
  const { handleError, handleReadyForQuery } = query;
  const handleErrorAfterAbort: typeof handleError = (error, connection) => {
    try {
      const given = state.aborted ? state.aborted.reason : error;
      // One that has failed already has sent its Sync: a second one would be taken for the end of the next query.
      return state.isFailed ? undefined : handleError.call(query, given, connection);
    } finally {
      over(error);
    }
  };
  const handleEnd: typeof handleReadyForQuery = (...args) => {
    try {
      return handleReadyForQuery?.apply(query, args);
    } finally {
      over(undefined);
    }
  };
  query.handleError = handleErrorAfterAbort;
  query.handleReadyForQuery = handleEnd;
}

/** Ends a call that waits for its reader or its writer, and not for the database. Gives whether that is all there is to do. */
function endByItself(query: Submittable, reason: unknown, fail: (error: unknown) => void): boolean {
  const { state, _cb } = query.cursor ?? query;
  if (state === 'idle' && !_cb) {
    // As after an error of the server's: the cursor's readers get it, and a Sync ends the portal.
    fail(reason);
    query.destroy?.(reason);
    return true;
  }
  if (typeof query.write === 'function') {
    // A COPY from here: destroying it sends a CopyFail.
    query.destroy?.(reason);
    return true;
  }
  if (isCopyOut(query)) {
    // It reads its connection only as fast as it is read itself: otherwise the database's error would never be seen.
    query.unpipe?.();
    query.resume?.();
  }
  return false;
}

function isCopyOut(query: Submittable): boolean {
  return typeof query.resume === 'function' && query.cursor === undefined && query.state === undefined;
}

function textOf({ text }: Submittable): string | undefined {
  return typeof text === 'string' ? text : undefined;
}
