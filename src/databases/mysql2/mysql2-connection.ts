import type { CancelEnd, GuardedConnection } from '../guarded-connection';
import { killQuery, WHICH_SERVER } from './kill-query';
import type { CoreConnection } from './types';

/** ER_QUERY_INTERRUPTED; MariaDB has it for KILL QUERY, and numbers of its own for the KILL of a connection. */
const QUERY_INTERRUPTED = 1317;

/** SERVER_STATUS_IN_TRANS of the protocol. */
const IN_TRANSACTION = 1;

/** A connection of mysql2 as a guard needs it. */
export class Mysql2GuardedConnection implements GuardedConnection {
  private server: unknown = undefined;
  private isClosed = false;
  private status = 0;

  constructor(private readonly connection: CoreConnection) {}

  /** Asks once which server this is; the queries that come wait for the answer in the connection's own queue. */
  askServer(query: (...args: unknown[]) => unknown): void {
    const question = { sql: WHICH_SERVER, rowsAsArray: false };
    query.call(this.connection, question, (error: unknown, rows?: { server: unknown }[]) => {
      if (!error) this.server = rows?.[0]?.server;
    });
  }

  /** Keeps what an OK packet said of the transaction. */
  note(result: unknown): void {
    const status = (result as { serverStatus?: unknown } | undefined)?.serverStatus;
    if (typeof status === 'number') this.status = status;
  }

  isIdle(): boolean {
    const { _command, _commands, _fatalError } = this.connection;
    return this.isClosed || Boolean(_fatalError) || (!_command && !_commands?.length);
  }

  whenIdle(then: () => void): void {
    const { _command, _commands } = this.connection;
    const last = _commands?.length ? at(_commands, _commands.length - 1) : _command;
    const listener = (): void => {
      (last as CoreConnection | undefined)?.off('end', listener);
      this.connection.off('error', listener);
      this.connection.off('end', listener);
      // mysql2 takes the next command when the listeners of this one's end have been called.
      process.nextTick(then);
    };
    (last as CoreConnection | undefined)?.once('end', listener);
    this.connection.once('error', listener);
    this.connection.once('end', listener);
  }

  cancel(timeoutMs: number, isWanted: () => boolean): Promise<CancelEnd> {
    return killQuery(this.connection, this.server, timeoutMs, isWanted);
  }

  isCancelled(error: unknown): boolean {
    return (
      typeof error === 'object' &&
      error !== null &&
      (error as { errno?: unknown }).errno === QUERY_INTERRUPTED
    );
  }

  isInTransaction(): boolean {
    return (this.status & IN_TRANSACTION) !== 0;
  }

  close(): void {
    this.isClosed = true;
    this.connection.destroy();
    // mysql2 itself only sends a COM_QUIT, which a busy server does not read.
    this.connection.stream.destroy();
  }
}

/** An entry of a queue. mysql2's own queue has `get()`, the one of earlier versions `peekAt()`. */
export function at(
  queue: { get?(index: number): unknown; peekAt?(index: number): unknown },
  index: number,
): unknown {
  return queue.get ? queue.get(index) : queue.peekAt?.(index);
}
