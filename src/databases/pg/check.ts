import type { Acquired } from '../acquire';
import type { PgClient } from './types';

/** Refuses anything but a pool of pg 8, with a message that names it. */
export function checkPool(pool: unknown): void {
  if (typeof pool !== 'object' || pool === null) {
    throw new TypeError(
      `abortable(pool): the pool is ${typeof pool === 'string' ? 'a string' : String(pool)}, but must be a Pool of pg.`,
    );
  }
  if ('getConnection' in pool) {
    throw new TypeError(
      "abortable(pool): this is a pool of mysql2 or mariadb. For mysql2, import abortable from 'express-hangup/mysql2'.",
    );
  }
  if (
    ['query', 'connect', 'end', 'on'].some(
      (name) => typeof (pool as Record<string, unknown>)[name] !== 'function',
    )
  ) {
    throw new TypeError(
      'abortable(pool): this is no Pool of pg: it lacks query(), connect(), end() or on().',
    );
  }
  if (!('totalCount' in pool) || !('waitingCount' in pool)) {
    throw new TypeError(
      'abortable(pool): this is a Client, or something else of pg, but must be a Pool: new pg.Pool(…).',
    );
  }
}

/** Whether a client's queries can be cancelled. */
export function isFit({ connection }: PgClient): boolean {
  return connection !== undefined && !('parseMessage' in connection);
}

/** Gives a client without a guard back, and tells the caller why. Without a client it tells the pool's error. */
export function refuse(callback: Acquired, error: unknown, client: PgClient | undefined): void {
  client?.release?.();
  callback(client ? unfit(client) : error);
}

/** What is wrong with a client of pg-native, or of pg 7 and older. */
function unfit({ connection }: PgClient): TypeError {
  return new TypeError(
    connection === undefined
      ? 'express-hangup/pg needs the JavaScript client of pg: queries of pg-native (pg.native) cannot be cancelled from outside.'
      : 'express-hangup/pg needs pg 8; the clients of this pool are of pg 7 or older.',
  );
}
