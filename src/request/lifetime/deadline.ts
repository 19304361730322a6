import { milliseconds } from '../../options';
import { privateField } from '../../private-field';
import type { Lifetime } from './lifetime';
import { unrefTimeout } from './unref-timeout';

/**
 * A request's deadline, `req.deadline`: the time until the response must have started (with `until: 'finish'`: must be
 * complete). All times are milliseconds.
 */
export class Deadline {
  readonly #lifetime: Lifetime;

  /** @internal Made by `hangup()` and `deadline()`. */
  constructor(lifetime: Lifetime) {
    this.#lifetime = lifetime;
  }

  /** The time granted, counted from the request's arrival; `Infinity` for no deadline. */
  get timeout(): number {
    return this.#lifetime.timeoutMs;
  }

  /**
   * The time left, never below 0; `Infinity` without a deadline and once the response has met it by starting in
   * time.
   */
  remaining(): number {
    return this.#lifetime.remaining();
  }

  /** Whether the deadline has passed and has ended the request. */
  get expired(): boolean {
    return this.#lifetime.expired;
  }

  /**
   * Grants `ms` more, within an inherited budget. It does nothing if the request is over.
   * @throws {TypeError | RangeError} if `ms` is not a number from 0 to 2^31-1.
   */
  extend(ms: number): void {
    this.#lifetime.setDeadline(this.#lifetime.timeoutMs + milliseconds('req.deadline.extend(ms)', ms));
  }

  /** Removes the deadline; an inherited budget stays. The signal still aborts when the client leaves. */
  clear(): void {
    this.#lifetime.setDeadline(Infinity);
  }

  /**
   * An AbortSignal for one call: it aborts `ms` from now (with a `TimeoutError`, as `AbortSignal.timeout()` does) or when
   * the request is aborted, whichever comes first. Once the request has settled, its timer is removed and it no longer
   * aborts: for work that outlives the response use `AbortSignal.timeout()`.
   * (`AbortSignal.any()` with a long-lived signal retains memory: nodejs/node#54614.)
   * @throws {TypeError | RangeError} if `ms` is not a number from 0 to 2^31-1.
   */
  signal(ms: number): AbortSignal {
    milliseconds('req.deadline.signal(ms)', ms);
    return callSignal(this.#lifetime, ms);
  }
}

const deadlines = privateField<Deadline>();

/** The deadline object of a request, made on first use. */
export function deadlineOf(lifetime: Lifetime): Deadline {
  return deadlines.getOrInsertComputed(lifetime, newDeadline);
}

function newDeadline(lifetime: Lifetime): Deadline {
  return new Deadline(lifetime);
}

function callSignal(lifetime: Lifetime, ms: number): AbortSignal {
  if (lifetime.settled && !lifetime.reason) return AbortSignal.timeout(ms);
  const controller = new AbortController();
  if (lifetime.reason) {
    controller.abort(lifetime.reason);
    return controller.signal;
  }
  const timer = unrefTimeout(() => {
    offAbort();
    offSettle();
    controller.abort(new DOMException(`The call took longer than ${ms} ms`, 'TimeoutError'));
  }, ms);
  const offAbort = lifetime.onAbort((reason) => controller.abort(reason));
  const offSettle = lifetime.onSettle(() => clearTimeout(timer));
  return controller.signal;
}
