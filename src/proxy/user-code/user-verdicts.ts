import type { HangupProxyEvents } from '../options';
import { isThenable } from '../../answer/thenable';

type UserHandler = NonNullable<HangupProxyEvents['error']>;

/** What the user's own `on.error` has done about an error: it has thrown, or its promise is pending. */
export type UserVerdict = { thrown: unknown } | { pending: PromiseLike<unknown> };

/**
 * Calls the user's own `on.error` first and remembers the result. What it throws must not end the process, as it would in
 * an event listener, and while its promise is pending nobody else may answer.
 */
export class UserVerdicts {
  private readonly verdicts = new WeakMap<object, UserVerdict>();

  constructor(private readonly on: HangupProxyEvents | undefined) {}

  /** The `on.error` that http-proxy-middleware is given. */
  readonly ask: UserHandler = (error, req, res, target) => {
    try {
      const pending = this.on?.error?.(error, req, res, target);
      if (isThenable(pending)) this.remember(res, { pending });
    } catch (thrown) {
      this.remember(res, { thrown });
    }
  };

  /** Returns what was remembered for this response or socket, and forgets it. */
  consume(res: object): UserVerdict | undefined {
    const verdict = this.verdicts.get(res);
    this.verdicts.delete(res);
    return verdict;
  }

  /** Remembers what the user's code has done about an error of this response or socket. */
  remember(res: unknown, verdict: UserVerdict): void {
    // http-proxy reports a missing target without any request or response.
    if (typeof res === 'object' && res !== null) this.verdicts.set(res, verdict);
  }
}
