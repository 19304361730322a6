import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import type { QueuedCall } from '../call';
import type { ConnectionGuard } from '../connection-guard';
import type { Mysql2GuardedConnection } from './mysql2-connection';
import { tellReason } from './tell-reason';
import type { Command, CoreConnection } from './types';

type Callback = (...args: unknown[]) => void;

/** A connection and what guards it. */
export interface Guarded {
  connection: CoreConnection;
  guard: ConnectionGuard;
  driver: Mysql2GuardedConnection;
}

/** A query of mysql2 before it is sent. */
export interface Statement {
  signals: readonly AbortSignal[];
  text: string | undefined;
  callback: Callback | undefined;
  /** Sends it, with the callback if it had one. */
  send(callback: Callback | undefined): Command;
  /** The command, if the caller has been given it already. */
  command: Command | undefined;
}

/** Lets the guard run a statement. Gives the result of `connection.query()`: the command, or an emitter for one that waits. */
export function runStatement(guarded: Guarded, statement: Statement): EventEmitter {
  const call = new CommandCall(guarded, statement);
  guarded.guard.submit(call);
  return call.result;
}

class CommandCall implements QueuedCall {
  readonly signals: readonly AbortSignal[];
  readonly text: string | undefined;
  private readonly callback: Callback | undefined;
  private command: Command | undefined;
  private standIn: EventEmitter | undefined = undefined;
  private isSent = false;
  private isAborted = false;
  private error: unknown = undefined;

  constructor(
    private readonly guarded: Guarded,
    private readonly statement: Statement,
  ) {
    this.signals = statement.signals;
    this.text = statement.text;
    this.command = statement.command;
    this.callback = statement.callback && AsyncResource.bind(statement.callback);
  }

  /** The command. Until it is made, an emitter that will emit its events. */
  get result(): EventEmitter {
    return this.command ?? (this.standIn ??= new EventEmitter());
  }

  send(): void {
    this.isSent = true;
    const { guard } = this.guarded;
    try {
      this.command = this.statement.send(
        this.callback && ((error, ...results) => this.hear(error, ...results)),
      );
    } catch (error) {
      // An error that mysql2 throws (for values that are no array, say) comes before anything is sent.
      this.standIn = new EventEmitter();
      this.hear(error);
      process.nextTick(() => this.standIn?.emit('end'));
      guard.over(this, error, undefined);
      return;
    }
    // The callback does not mark the end: a query with a `timeout` calls it while it still runs.
    this.command.once('end', () => guard.over(this, this.error, undefined));
    if (!this.callback) this.watchEvents(this.command);
    const { standIn } = this;
    if (standIn) this.command.once('end', () => standIn.emit('end'));
  }

  private hear(error: unknown, ...results: unknown[]): void {
    this.error = error;
    this.guarded.driver.note(results[0]);
    if (!this.isAborted) this.callback?.(error, ...results);
    // A lost connection emits no `end` for its commands.
    if ((error as { fatal?: unknown } | null)?.fatal === true)
      this.guarded.guard.over(this, error, undefined);
  }

  /** After an abort a command without a callback emits its end, and no other event. */
  private watchEvents(command: Command): void {
    const emit = command.emit.bind(command);
    const emitUnlessAborted = (name: string, ...args: unknown[]): boolean => {
      if (name === 'error') this.error = args[0];
      return this.isAborted && name !== 'end' ? true : emit(name, ...args);
    };
    command.emit = emitUnlessAborted;
  }

  interrupt(reason: unknown): boolean {
    if (!this.callback && this.command) fail(this.command, reason);
    this.isAborted = true;
    // A stream that is not read pauses the connection, and then the end would never be seen.
    (this.guarded.connection as { resume?: () => void }).resume?.();
    return false;
  }

  abort(reason: unknown): void {
    if (this.isSent) {
      if (this.callback) tellReason(this.callback, reason);
      return;
    }
    const { result, callback } = this;
    process.nextTick(() => {
      if (callback) tellReason(callback, reason);
      else fail(result, reason);
      result.emit('end');
    });
  }
}

function fail(emitter: EventEmitter, reason: unknown): void {
  if (emitter.listenerCount('error') > 0) emitter.emit('error', reason);
}
