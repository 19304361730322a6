import type { HangupCode } from '../../errors';

/**
 * The abort whose effects are just being seen. A request's signal aborts, and in the same turn of the event loop the
 * clients that listen to it destroy their calls, each with an error of its own that says nothing of the reason: got
 * calls it a socket hang up. What this process destroys in that turn was destroyed for that reason.
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
