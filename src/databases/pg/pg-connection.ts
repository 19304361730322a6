import type { CancelEnd, GuardedConnection } from '../guarded-connection';
import { sendCancelRequest } from './cancel-request';
import type { PgClient } from './types';

/** A client of `pg` as a guard needs it. */
export class PgGuardedConnection implements GuardedConnection {
  constructor(
    private readonly client: PgClient,
    private readonly streamOf: unknown,
  ) {}

  /** Whether no query runs or waits. A query counts as over before `pg` gets its ReadyForQuery. */
  isIdle(): boolean {
    const { client } = this;
    return (
      this.isGone() ||
      (!activeQuery(client) && isEmpty(queryQueue(client)) && isEmpty(client._sentQueryQueue))
    );
  }

  /** A client that is gone answers each query with an error of its own. */
  private isGone(): boolean {
    return this.client._ending === true || this.client._queryable === false;
  }

  whenIdle(then: () => void): void {
    const { client } = this;
    const listener = (): void => {
      client.off('drain', listener);
      client.off('end', listener);
      then();
    };
    client.once('drain', listener);
    client.once('end', listener);
  }

  cancel(timeoutMs: number, isWanted: () => boolean): Promise<CancelEnd> {
    return sendCancelRequest(this.client, this.streamOf, timeoutMs, isWanted);
  }

  /** SQLSTATE 57014 is a statement timeout's, too; the words of that are known in English. */
  isCancelled(error: unknown): boolean {
    if (typeof error !== 'object' || error === null) return false;
    const { code, message } = error as { code?: unknown; message?: unknown };
    return code === '57014' && !String(message).includes('statement timeout');
  }

  isInTransaction(): boolean {
    const status = this.client.getTransactionStatus?.();
    return status === 'T' || status === 'E';
  }

  close(): void {
    const { client } = this;
    // Marks the client as ending, so that its end is no error that somebody would have to listen to.
    client.end(() => undefined);
    client.connection?.stream.destroy();
  }
}

/** Under its newer name first: to read the older one prints a deprecation since pg 8.17. */
function activeQuery(client: PgClient): unknown {
  return '_activeQuery' in client ? client._activeQuery : client.activeQuery;
}

function queryQueue(client: PgClient): ArrayLike<unknown> | undefined {
  return '_queryQueue' in client ? client._queryQueue : client.queryQueue;
}

function isEmpty(queue: ArrayLike<unknown> | undefined): boolean {
  return queue === undefined || queue.length === 0;
}
