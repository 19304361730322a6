import { defaultMaxListeners, getMaxListeners, setMaxListeners } from 'node:events';
import { DeadlineExceededError } from '../../errors';
import { isDebugging } from '../../request/lifetime/debugger';
import type { Lifetime } from '../../request/lifetime/lifetime';

/**
 * Ends a call when the request for which it is made is over, or when the caller's own signal aborts.
 *
 * It listens to both signals itself: a signal that `AbortSignal.any()` makes of a long-lived one stays in memory with it.
 */
export class CallScope {
  /** Why the call has ended; set before `onEnd` is called. It is an object because a signal's reason may be falsy. */
  ended: { readonly reason: unknown } | undefined = undefined;
  /** Called once, when the call is aborted. */
  onEnd: ((reason: unknown) => void) | undefined = undefined;

  private offRequest: (() => void) | undefined = undefined;
  private offSignal: (() => void) | undefined = undefined;
  private offSettle: (() => void) | undefined = undefined;

  constructor(
    private readonly lifetime: Lifetime | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.offRequest = lifetime?.onAbort((reason) => this.end(reason));
    if (signal) this.follow(signal);
  }

  /** Whether anything but the upstream can end the call. */
  get canEnd(): boolean {
    return this.offRequest !== undefined || this.offSignal !== undefined;
  }

  /** Whether the request is over already: its handler goes on working after the answer. */
  get isLate(): boolean {
    return this.lifetime?.settled === true;
  }

  /** Milliseconds left for the call; `Infinity` without a deadline. */
  remaining(): number {
    const ms = this.lifetime?.remaining() ?? Infinity;
    // With a debugger attached the deadline has no effect.
    return ms === 0 && isDebugging() ? Infinity : ms;
  }

  /** Ends the call because its time is up, just before the deadline's own timer fires. */
  expire(): void {
    this.end(new DeadlineExceededError(this.lifetime?.timeoutMs ?? 0));
  }

  /** Calls `listener` once when the request is over, in whatever way, unless the call has been released before. */
  onSettle(listener: () => void): void {
    this.offSettle = this.lifetime?.onSettle(listener);
  }

  /** Removes the listeners. */
  release(): void {
    this.offRequest?.();
    this.offSignal?.();
    this.offSettle?.();
    this.offRequest = this.offSignal = this.offSettle = this.onEnd = undefined;
  }

  private follow(signal: AbortSignal): void {
    if (signal.aborted) {
      this.end(signal.reason);
      return;
    }
    // Node 20 warns of a leak when eleven calls use the same signal at a time. undici raises the limit to 1500 as well.
    if (getMaxListeners(signal) === defaultMaxListeners) setMaxListeners(1500, signal);
    const listener = (): void => this.end(signal.reason);
    signal.addEventListener('abort', listener, { once: true });
    const off = (): void => signal.removeEventListener('abort', listener);
    this.offSignal = off;
  }

  private end(reason: unknown): void {
    if (this.ended) return;
    this.ended = { reason };
    const { onEnd } = this;
    this.release();
    onEnd?.(reason);
  }
}
