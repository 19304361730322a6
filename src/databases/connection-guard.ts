import { abortedReason, listOf, onAbort } from './abort-listeners';
import { running, untilOver, type Call, type Running } from './call';
import { endsTransaction, takesBack } from './statements';

/** How a request to cancel ended: dealt with by the server; never sent; or nobody can tell. */
export type CancelEnd = 'done' | 'unsent' | 'unknown';

/** What a guard needs to know of a driver's connection. */
export interface GuardedConnection {
  /** Whether a query that is sent now starts now. */
  isIdle(): boolean;
  /** Calls `then` when the connection is idle or gone. */
  whenIdle(then: () => void): void;
  /** Asks the server over a connection of its own to end what runs here. `isWanted` is asked right before the word is sent. */
  cancel(timeoutMs: number, isWanted: () => boolean): Promise<CancelEnd>;
  /** Whether a query with this error was ended by a cancel, and not by itself. */
  isCancelled(error: unknown): boolean;
  /** Whether a transaction is open. */
  isInTransaction(): boolean;
  /** Closes the connection, whatever runs on it. Its call may never hear of it. */
  close(): void;
}

/** The first pause before a query that goes on is cancelled once more: the cancel may have been there before the query. */
const FIRST_PAUSE_MS = 100;

/**
 * Watches over one connection of a pool: whose request it works for, which call runs, and that no cancel ever meets a later
 * one. While a call runs that may be cancelled, the next call and the release wait for it, and for its cancel.
 */
export class ConnectionGuard {
  /** The signals of the request for which the connection was taken from its pool. */
  owner: readonly AbortSignal[] = listOf(undefined);
  /** A query of the pool itself runs on it, whose callback calls no code of the app's but what is bound to its context. */
  isPoolsOwn = false;
  private current: Running | undefined = undefined;
  private readonly waiting: Call[] = [];
  /** Why the connection must not be used by others again. */
  private isDoubtful = false;
  /** The caller has been told that the owner is over; what follows is its cleaning up. */
  private isHandedOver = false;
  private heldRelease: (() => void) | undefined = undefined;

  constructor(
    private readonly connection: GuardedConnection,
    private readonly cancelTimeoutMs: number,
  ) {}

  /** Whether a call without a signal need not ask the guard. */
  get isFree(): boolean {
    return this.current === undefined && this.waiting.length === 0;
  }

  /** The connection has been taken from its pool. */
  takenFor(signals: readonly AbortSignal[]): void {
    this.owner = signals;
    this.isHandedOver = false;
    this.isPoolsOwn = false;
  }

  /** What a call on this connection obeys on account of the connection. */
  get ownerSignals(): readonly AbortSignal[] {
    return this.isHandedOver ? listOf(undefined) : this.owner;
  }

  /** Sends a call as soon as the connection is free for it. */
  submit(call: Call): void {
    this.waiting.push(call);
    if (this.waiting.length === 1) this.next();
  }

  private next(): void {
    while (this.current === undefined) {
      const call = this.waiting[0];
      if (call === undefined) break;
      if (call.signals.length > 0 && !this.connection.isIdle()) {
        this.connection.whenIdle(() => this.next());
        return;
      }
      this.waiting.shift();
      this.start(call);
    }
    this.releaseIfHeld();
  }

  private start(call: Call): void {
    const aborted = takesBack(call.text) ? undefined : abortedReason(call.signals);
    if (aborted) {
      this.handOver(call);
      call.abort(aborted.reason);
      return;
    }
    if (call.signals.length === 0) {
      call.send();
      return;
    }
    const run = running(call);
    this.current = run;
    run.off = onAbort(call.signals, (reason) => this.aborted(run, reason));
    call.send();
  }

  /** The driver says that a call has ended. The caller hears of it when no cancel is under way any more. */
  over(call: Call, error: unknown, result: unknown): void {
    const run = this.current;
    if (run?.call !== call || run.isOver) return;
    run.isOver = true;
    run.error = error;
    run.result = result;
    if (run.aborted === undefined) this.finish(run);
    else run.onOver?.();
  }

  /** The connection is lost, and with it what runs on it. */
  lost(error: unknown): void {
    if (this.current) this.over(this.current.call, error, undefined);
  }

  private aborted(run: Running, reason: unknown): void {
    if (run !== this.current || run.isOver || endsTransaction(run.call.text)) return;
    run.aborted = { reason };
    const isEnding = run.call.interrupt?.(reason) ?? false;
    void this.stop(run, isEnding).finally(() => this.finish(run));
  }

  /** Cancels until the call is over; when the time for that is up, the connection is closed. */
  private async stop(run: Running, isEnding: boolean): Promise<void> {
    const end = performance.now() + this.cancelTimeoutMs;
    const left = (): number => Math.max(0, end - performance.now());
    if (isEnding && (await untilOver(run, Math.min(FIRST_PAUSE_MS, left())))) return;
    for (let pauseMs = FIRST_PAUSE_MS, asked = 0; ; pauseMs *= 2) {
      const outcome = await this.connection.cancel(left(), () => !run.isOver);
      if (outcome === 'unsent' && run.isOver) {
        this.isDoubtful ||= asked > 0;
        return;
      }
      asked += 1;
      if (outcome !== 'done') break;
      if (await untilOver(run, Math.min(pauseMs, left()))) {
        // A second cancel may still be on its way through a proxy, and so may one that came after the query's own end.
        this.isDoubtful ||= asked > 1 || !this.connection.isCancelled(run.error);
        return;
      }
      if (left() === 0 || run.call.isStuck?.()) break;
    }
    this.isDoubtful = true;
    if (!run.isOver) this.connection.close();
  }

  private finish(run: Running): void {
    run.off();
    const { call, aborted } = run;
    if (aborted) this.handOver(call);
    this.current = undefined;
    try {
      if (aborted) call.abort(aborted.reason);
      else call.deliver?.(run.error, run.result);
    } finally {
      this.next();
    }
  }

  /** The caller is about to be told of its request's end: with the calls that it has made so far, those after it are its own. */
  private handOver(call: Call): void {
    if (this.isHandedOver || !this.owner.some((signal) => signal.aborted && call.signals.includes(signal)))
      return;
    this.isHandedOver = true;
  }

  /**
   * The connection is to go back to its pool: now, or when what runs on it and its cancel are over. `release(error)` closes it
   * where `error` is not undefined. An error that is only the request's reason is no ground for closing it.
   */
  release(error: unknown, release: (error: unknown) => void): void {
    const { owner } = this;
    this.heldRelease = () => {
      const wasAborted = owner.some((signal) => signal.aborted);
      const isReason = owner.some((signal) => signal.aborted && signal.reason === error);
      const isLeftOpen = wasAborted && this.connection.isInTransaction();
      this.takenFor(listOf(undefined));
      if (this.isDoubtful || isLeftOpen) release(isReason || !error ? true : error);
      else release(isReason ? undefined : error);
    };
    this.releaseIfHeld();
  }

  private releaseIfHeld(): void {
    if (!this.isFree) return;
    const release = this.heldRelease;
    this.heldRelease = undefined;
    release?.();
  }
}
