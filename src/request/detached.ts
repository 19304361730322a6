import { channels } from '../events';
import { runInContext } from './context';

/** Counts the work of `detached()` that is under way in this process. A drain waits for it. */
class DetachedWork {
  private running = 0;
  private idleListeners: (() => void)[] = [];

  get size(): number {
    return this.running;
  }

  /** Calls `listener` once, as soon as no work is under way; immediately if there is none now. */
  onceIdle(listener: () => void): void {
    if (this.running === 0) listener();
    else this.idleListeners.push(listener);
  }

  begin(): void {
    this.running += 1;
  }

  end(): void {
    this.running -= 1;
    if (this.running > 0) return;
    const listeners = this.idleListeners;
    this.idleListeners = [];
    for (const listener of listeners) listener();
  }
}

/** One for the process, because a signal that begins a drain (SIGTERM) concerns the whole process. */
export const detachedWork = new DetachedWork();

/** A promise that knows whether its `then` was called. A plain promise cannot tell: `await` calls no method of it. */
class DetachedPromise<T> extends Promise<T> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  isTaken = false;

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isTaken = true;
    return super.then(onFulfilled, onRejected);
  }
}

/**
 * Runs work outside of the request: an audit record, a job for a queue, a cache that others wait for. The work
 * begins at once and does not end with the request. `currentSignal()` is undefined in it. A drain waits for it,
 * until the drain's `timeout`.
 *
 * Gives a promise of the work's result. If no code awaits that promise, an error is published on the channel
 * `express-hangup:detached`. If that channel has no subscriber, the error becomes a process warning. It is never an
 * unhandled rejection.
 * @throws {TypeError} for anything but a function: the work of a promise has begun in the request's context already.
 */
export function detached<T>(work: () => T | PromiseLike<T>): Promise<T> {
  if (typeof work !== 'function')
    throw new TypeError(
      'detached() takes a function, so that the work begins outside of the request: detached(() => save())',
    );
  const beganAt = performance.now();
  detachedWork.begin();
  const result = new DetachedPromise<T>((resolve) => resolve(runInContext(undefined, () => begin(work))));
  const settled = (): void => detachedWork.end();
  void Promise.prototype.then.call(result, settled, (error: unknown) => {
    settled();
    // A tick later all promise reactions have run, so any `await` on this promise has called `then`.
    process.nextTick(() => {
      if (!result.isTaken) report(error, performance.now() - beganAt);
    });
  });
  return result;
}

async function begin<T>(work: () => T | PromiseLike<T>): Promise<T> {
  return work();
}

function report(error: unknown, ms: number): void {
  if (channels.detached.hasSubscribers) channels.detached.publish({ error, ms });
  else process.emitWarning(`Work of detached() has failed: ${describe(error)}`, 'DetachedWorkWarning');
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
