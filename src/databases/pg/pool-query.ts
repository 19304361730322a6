import { abortedReason, listen, type AbortListener, type Registration } from '../abort-listeners';
import type { Acquired, WaitingRoom } from '../acquire';
import type { Call, Running } from '../call';
import type { ConnectionGuard } from '../connection-guard';
import type { Done } from '../promised';
import { refuse } from './check';
import { guardOf } from './guarded-client';
import { textOf } from './query-text';
import type { PgClient } from './types';

/**
 * One `pool.query()` that obeys signals. It is all that such a query needs, from its place in the pool's queue to its end in the
 * database, in one object with one listener: what a query costs beside `pg` alone is mostly what is allocated for it.
 */
export class PoolQuery implements Call, Running, AbortListener {
  readonly call = this;
  aborted: { reason: unknown } | undefined = undefined;
  isOver = false;
  error: unknown = undefined;
  result: unknown = undefined;
  onOver: (() => void) | undefined = undefined;
  registration: Registration | undefined = undefined;
  private isTold = false;
  private place: unknown = undefined;
  private guard: ConnectionGuard | undefined = undefined;

  constructor(
    readonly signals: readonly AbortSignal[],
    private readonly config: unknown,
    private readonly room: WaitingRoom,
    private readonly tell: Done,
  ) {}

  get text(): string | undefined {
    return textOf(this.config);
  }

  /** Lets the pool run it. The caller hears of an abort at once; the connection waits until the query is over. */
  run(send: (done: Done) => void): void {
    const aborted = abortedReason(this.signals);
    if (aborted) {
      process.nextTick(this.tell, aborted.reason);
      return;
    }
    this.registration = listen(this.signals, this);
    const { room } = this;
    const before = room.count();
    send((error, result) => this.done(error, result));
    if (room.count() > before) this.place = room.last();
  }

  /** The pool's own callback for a connection, so that the query knows which one it has. */
  acquired(callback: Acquired): Acquired {
    return (error, client, release) => {
      this.guard = guardOf(client);
      // Too late to leave the queue: it was being connected. The next one gets it.
      if (this.isTold) client?.release?.();
      else if (this.guard) {
        this.guard.takenForQuery(this);
        callback(error, client, release);
      } else refuse(callback, error, client as PgClient | undefined);
    };
  }

  private done(error: unknown, result: unknown): void {
    if (this.isTold) return;
    this.isTold = true;
    this.registration?.remove();
    this.tell(error, result);
  }

  onAbort(reason: unknown): void {
    if (this.isTold) return;
    this.isTold = true;
    this.registration?.remove();
    if (this.guard) this.guard.cancel(this, reason);
    else this.room.leave(this.place);
    this.tell(reason);
  }

  abort(): void {
    // onAbort() has told the caller already.
  }
}
