import type { HangupCode } from '../../errors';

/**
 * The abort of this turn of the event loop. When a request's signal aborts, the clients that listen to it destroy
 * their calls in the same turn. Each uses an error of its own that does not show the reason: got's is a socket hang
 * up. So every call that this process destroys in that turn was destroyed because of the abort.
 */
export class RecentAborts {
  private latest: HangupCode | undefined;
  private round = 0;

  /** A request has been aborted. */
  note(code: HangupCode): void {
    this.latest = code;
    const round = ++this.round;
    // Sockets say that they have closed at the end of a turn, after what setImmediate has put off to it.
    setImmediate(() => setImmediate(() => this.forget(round)));
  }

  /** Why a call that this process destroys now is destroyed; `undefined` where no request has just been aborted. */
  get current(): HangupCode | undefined {
    return this.latest;
  }

  private forget(round: number): void {
    if (round === this.round) this.latest = undefined;
  }
}
