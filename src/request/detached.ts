import { channels } from '../events';
import { runInContext } from './context';

/** The work of `detached()` that is under way in this process. A drain asks for it. */
class DetachedWork {
  private running = 0;
  private idleListeners: (() => void)[] = [];

  get size(): number {
    return this.running;
  }

  /** Calls `listener` once when nothing is under way; at once where nothing is. */
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

/** Process-wide, as the signals are that begin a drain. */
export const detachedWork = new DetachedWork();

/** Knows whether somebody waits for it: `await` on a plain promise calls no method of it. */
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
 * Runs work outside of the request: an audit record, a job for a queue, a cache that others wait for. It is not ended with
 * the request, `currentSignal()` is undefined in it, and a drain waits for it until its `timeout`. It begins at once.
 *
 * Gives a promise of what the work gives. Where nobody waits for the promise, an error is published as
 * `express-hangup:detached`, or is a process warning where nobody subscribes to that: never an unhandled rejection.
 * @throws {TypeError} for anything but a function: a promise has begun in the request's context already.
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
    // After the reactions of all promises: whoever awaits this one has said so by then.
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
