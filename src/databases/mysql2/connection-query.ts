import { AsyncResource } from 'node:async_hooks';
import { join, signalIn } from '../abort-listeners';
import { callbackIn } from '../run-aborted';
import { runStatement, type Guarded, type Statement } from './command-call';
import type { Command, CoreConnection } from './types';

type Method = (...args: unknown[]) => unknown;
type Callback = (...args: unknown[]) => void;

/** mysql2's way from arguments to a command; static, on the class of its connections. */
interface CommandMaker {
  createQuery(sql: unknown, values: unknown, callback: unknown, config: unknown): Command;
}

/** The `query()` of a connection under guard. */
export function guardedQuery(guarded: Guarded, plain: Method): Method {
  const { connection, guard } = guarded;
  return function query(sql?: unknown, values?: unknown, callback?: unknown): unknown {
    // A pool gives the connection a command that it has made itself.
    const made = commandOf(sql);
    const signals = join(guard.ownerSignals, signalIn(made?._queryOptions ?? sql, 'connection.query()'));
    if (isPlain(guarded, signals)) {
      return made
        ? plain.call(connection, sql)
        : plain.call(connection, sql, ...bound(guarded, values, callback));
    }
    const command = made ?? create(connection, sql, values, callback);
    return runStatement(guarded, {
      signals,
      text: command.sql,
      callback: command.onResult,
      command,
      send(hear) {
        if (hear) command.onResult = hear;
        return plain.call(connection, command) as Command;
      },
    });
  };
}

/** The `execute()` of a connection under guard. */
export function guardedExecute(guarded: Guarded, plain: Method): Method {
  const { connection, guard } = guarded;
  return function execute(sql?: unknown, values?: unknown, callback?: unknown): unknown {
    const signals = join(guard.ownerSignals, signalIn(sql, 'connection.execute()'));
    if (isPlain(guarded, signals)) return plain.call(connection, sql, ...bound(guarded, values, callback));
    const list = typeof values === 'function' ? undefined : values;
    const statement: Statement = {
      signals,
      text: textOf(sql),
      callback: callbackIn(values, callback),
      command: undefined,
      send: (hear) => plain.call(connection, sql, list, hear) as Command,
    };
    return runStatement(guarded, statement);
  };
}

function isPlain({ guard }: Guarded, signals: readonly AbortSignal[]): boolean {
  return signals.length === 0 && guard.isFree;
}

/** The arguments after the SQL. The callback is bound to the caller's context: mysql2 would call it in the socket's. */
function bound({ driver, guard }: Guarded, values: unknown, callback: unknown): unknown[] {
  const given = callbackIn(values, callback);
  if (!given) return [values, callback];
  const then = AsyncResource.bind(given);
  const isOwned = guard.owner.length > 0;
  const hear: Callback = (error, ...results) => {
    driver.note(results[0]);
    then(error, ...results);
  };
  return typeof values === 'function' ? [isOwned ? hear : then] : [values, isOwned ? hear : then];
}

function create(connection: CoreConnection, sql: unknown, values: unknown, callback: unknown): Command {
  const maker = connection.constructor as unknown as CommandMaker;
  return maker.createQuery(sql, values, callback, connection.config);
}

function commandOf(sql: unknown): (Command & { _queryOptions?: unknown }) | undefined {
  return typeof sql === 'object' && sql !== null && '_queryOptions' in sql
    ? (sql as unknown as Command)
    : undefined;
}

function textOf(sql: unknown): string | undefined {
  const text = typeof sql === 'object' && sql !== null ? (sql as { sql?: unknown }).sql : sql;
  return typeof text === 'string' ? text : undefined;
}
