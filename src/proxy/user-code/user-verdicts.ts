import type { HangupProxyEvents } from '../options';
import { isThenable } from '../../answer/thenable';

type UserHandler = NonNullable<HangupProxyEvents['error']>;

/** What the user's own `on.error` has done about an error: thrown, or not yet decided. */
export type UserVerdict = { thrown: unknown } | { pending: PromiseLike<unknown> };

/**
 * Asks the user's own `on.error` first, and remembers what came of it: what it throws must not take the process down, as it
 * would in an event listener, and while its promise is pending nobody else may answer.
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

  /** What was remembered for this response, or socket; once. */
  consume(res: object): UserVerdict | undefined {
    const verdict = this.verdicts.get(res);
    this.verdicts.delete(res);
    return verdict;
  }

  /** Remembers what has been made of the error of a response, or of a socket. */
  remember(res: unknown, verdict: UserVerdict): void {
    // http-proxy reports a missing target without any request or response.
    if (typeof res === 'object' && res !== null) this.verdicts.set(res, verdict);
  }
}
