import type { CorePool } from './types';

/**
 * Gives the callback API's pool, which works for both APIs. Refuses anything but a pool of mysql2, with a message that
 * names it.
 */
export function corePoolOf(pool: unknown): CorePool {
  if (typeof pool !== 'object' || pool === null) {
    const what = typeof pool === 'string' ? 'a string' : String(pool);
    throw new TypeError(`abortable(pool): the pool is ${what}, but must be a pool of mysql2: createPool(…).`);
  }
  if ('totalCount' in pool) {
    throw new TypeError("abortable(pool): this is a Pool of pg: import abortable from 'express-hangup/pg'.");
  }
  const core = 'pool' in pool && typeof pool.pool === 'object' && pool.pool !== null ? pool.pool : pool;
  const lacks = ['query', 'execute', 'getConnection', 'on'].filter((name) => !isMethod(core, name));
  if (lacks.includes('getConnection')) {
    throw new TypeError(
      'abortable(pool): this is no pool: it has no getConnection(). A pool is what createPool(…) of mysql2 gives.',
    );
  }
  if (lacks.length > 0 || !('config' in core)) {
    throw new TypeError(
      'abortable(pool): this is no pool of mysql2 3. The queries of the packages mysql and mariadb cannot be made abortable.',
    );
  }
  return core as unknown as CorePool;
}

function isMethod(target: object, name: string): boolean {
  return typeof (target as Record<string, unknown>)[name] === 'function';
}
