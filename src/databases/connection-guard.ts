import { abortedReason, isReasonOf, listen, listOf } from './abort-listeners';
import { SentCall, untilOver, type Call, type HeldRelease, type QueuedCall, type Running } from './call';
import type { GuardedConnection } from './guarded-connection';
import { endsTransaction, takesBack } from './statements';

/** The first pause before a query that still runs is cancelled again: the cancel may have arrived before the query. */
const FIRST_PAUSE_MS = 100;

/**
 * Guards one connection of a pool. It knows for which request the connection works and which call runs, and makes
 * sure that a cancel never hits a later call. While a call runs that may be cancelled, the next call and the
 * release wait for it and for its cancel.
 */
export class ConnectionGuard {
  /** The signals of the request for which the connection was taken from its pool. */
  owner: readonly AbortSignal[] = listOf(undefined);
  /**
   * Whether a query of the pool itself runs. All code of the app that its callback calls is bound to its context
   * already.
   */
  isPoolsOwn = false;
  /**
   * The pool's query for which the connection was taken. It listens to its signals itself, and is over at the
   * release.
   */
  poolQuery: Running | undefined = undefined;
  private current: Running | undefined = undefined;
  private readonly waiting: QueuedCall[] = [];
  /** Why the connection must not be used by others again. */
  private isDoubtful = false;
  /** The caller has been told of the abort. The calls that follow are its cleaning up. */
  private isHandedOver = false;
  private heldRelease: HeldRelease | undefined = undefined;

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
    this.poolQuery = undefined;
  }

  /** The connection has been taken from its pool for one query of the pool. */
  takenForQuery(query: Running): void {
    this.takenFor(query.call.signals);
    this.isPoolsOwn = true;
    this.poolQuery = query;
  }

  /** Lets the driver send the pool's query at once, if it would start now. It is over when the connection is released. */
  begin(query: Running): boolean {
    if (!this.isFree || !this.connection.isIdle()) return false;
    this.current = query;
    return true;
  }

  /** The signals of the connection's request, which end each call on it. */
  get ownerSignals(): readonly AbortSignal[] {
    return this.isHandedOver ? listOf(undefined) : this.owner;
  }

  /** Sends a call as soon as the connection is free for it. */
  submit(call: QueuedCall): void {
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

  private start(call: QueuedCall): void {
    const aborted = abortedReason(call.signals);
    if (aborted && !takesBack(call.text)) {
      this.handOver(call);
      call.abort(aborted.reason);
      return;
    }
    if (call.signals.length === 0) {
      call.send();
      return;
    }
    const run = new SentCall(call, this);
    this.current = run;
    run.registration = listen(call.signals, run);
    call.send();
  }

  /** The driver reports the end of a call. The caller is told when no cancel is under way any more. */
  over(call: Call, error: unknown, result: unknown): void {
    const run = this.current;
    if (run?.call !== call || run.isOver) return;
    run.isOver = true;
    run.error = error;
    run.result = result;
    if (run.aborted === undefined) this.finish(run);
    else run.onOver?.();
  }

  /** The connection is lost, and with it the call that runs on it. */
  lost(error: unknown): void {
    if (this.current) this.over(this.current.call, error, undefined);
  }

  /** Ends a running call in the database, for this reason. */
  cancel(run: Running, reason: unknown): void {
    if (run !== this.current || run.isOver || endsTransaction(run.call.text)) return;
    run.aborted = { reason };
    const isEnding = run.call.interrupt?.(reason) ?? false;
    void this.stop(run, isEnding).finally(() => this.finish(run));
  }

  /** Cancels until the call is over. If that takes longer than `cancelTimeout`, the connection is closed. */
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
    const { call, aborted } = run;
    run.registration?.remove();
    if (aborted) this.handOver(call);
    this.current = undefined;
    try {
      if (aborted) call.abort(aborted.reason);
      else call.deliver?.(run.error, run.result);
    } finally {
      this.next();
    }
  }

  /** The caller is about to be told of the abort. It applies to the calls made so far; later calls run normally. */
  private handOver(call: Call): void {
    if (this.isHandedOver || !this.owner.some((signal) => signal.aborted && call.signals.includes(signal)))
      return;
    this.isHandedOver = true;
  }

  /**
   * Releases the connection to its pool: now, or when the running call and its cancel are over. `release(error)`
   * closes the connection if `error` is not undefined. An error that is only the request's reason does not close
   * it.
   */
  release(error: unknown, release: (error: unknown) => void): void {
    const { poolQuery } = this;
    this.heldRelease = { error, release, poolQuery };
    if (poolQuery !== undefined && poolQuery === this.current) this.over(poolQuery.call, error, undefined);
    else this.releaseIfHeld();
  }

  private releaseIfHeld(): void {
    const held = this.heldRelease;
    if (held === undefined || !this.isFree) return;
    this.heldRelease = undefined;
    const { owner } = this;
    const { error, poolQuery } = held;
    // pg-pool gets the error with which the cancel has ended its query; all others get the reason.
    const isReason =
      isReasonOf(owner, error) || (poolQuery?.aborted !== undefined && this.connection.isCancelled(error));
    const isLeftOpen = abortedReason(owner) !== undefined && this.connection.isInTransaction();
    this.takenFor(listOf(undefined));
    if (this.isDoubtful || isLeftOpen) held.release(isReason || !error ? true : error);
    else held.release(isReason ? undefined : error);
  }
}
