import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { currentSignal } from '../../request/context';
import { abortedReason, isReasonOf, join, listOf, signalIn } from '../abort-listeners';
import { acquire, type Acquired } from '../acquire';
import { ConnectionGuard } from '../connection-guard';
import { ErrandDesk } from '../errand-desk';
import type { Done } from '../promised';
import { callbackIn, redefine, runAborted } from '../run-aborted';
import { cancelTimeoutOf, type AbortableOptions } from '../settings';
import { corePoolOf } from './check';
import { guardedExecute, guardedQuery } from './connection-query';
import { Mysql2GuardedConnection } from './mysql2-connection';
import { tellReason } from './tell-reason';
import { waitingRoom } from './waiting-room';
import type { AbortablePool, CoreConnection, CorePool, Mysql2Pool } from './types';

type Method = (...args: unknown[]) => unknown;
type Signals = readonly AbortSignal[];

const abortablePools = new WeakSet<object>();

/**
 * Makes a pool's queries end in the database when their request ends. It changes the pool (of mysql2's callback or
 * promise API): `query()`, `execute()` and `getConnection()` then take a signal.
 *
 * - `query({ sql, values, signal })` and `execute({ … })` end with that signal. In the context of a request
 *   (`hangup({ context: true })`) each query ends with the request, and no signal need be passed.
 * - A connection from `getConnection()` in such a context, or from `getConnection({ signal })`, works for that request.
 *   When the request ends, the running query is cancelled, and its promise rejects with the request's reason. After that
 *   the connection works normally again, so that the caller can send its ROLLBACK and clean up.
 * - A request that waits for a connection leaves the pool's queue.
 *
 * A query is cancelled by `KILL QUERY`, over a connection of its own. The connection of the cancelled query goes back to the
 * pool only when the cancel is known to be over; otherwise it is closed.
 *
 * @param pool - A pool of mysql2 3. It is changed, and given back; a second call changes nothing.
 * @throws TypeError if `pool` is no such pool. The message says what it is.
 */
export function abortable<Pool extends Mysql2Pool>(
  pool: Pool,
  options: AbortableOptions = {},
): AbortablePool<Pool> {
  const cancelTimeoutMs = cancelTimeoutOf(options);
  const core = corePoolOf(pool);
  const result = pool as AbortablePool<Pool>;
  if (abortablePools.has(pool)) return result;
  abortablePools.add(pool);
  const errand = new ErrandDesk<Signals>();
  // A promise pool and its core may both be given.
  if (!abortablePools.has(core) || core === (pool as unknown)) makeAbortable(core, errand, cancelTimeoutMs);
  abortablePools.add(core);
  if (core !== (pool as unknown)) takePromised(pool, core);
  return result;
}

/** The promise pool's `getConnection()` takes no arguments and calls the core's, which would not get the signal. */
function takePromised(pool: object, core: CorePool): void {
  const { getConnection } = pool as { getConnection: Method };
  redefine(pool, 'getConnection', function (options?: unknown): unknown {
    const signal = signalIn(options, 'pool.getConnection()');
    return signal
      ? desks.get(core)?.during(listOf(signal), () => getConnection.call(pool))
      : getConnection.call(pool);
  });
}

const desks = new WeakMap<object, ErrandDesk<Signals>>();

function makeAbortable(core: CorePool, errand: ErrandDesk<Signals>, cancelTimeoutMs: number): void {
  desks.set(core, errand);
  const { query, execute, getConnection } = core;
  const guards = guardConnections(core, cancelTimeoutMs);
  redefine(core, 'query', abortableMethod(core, query, errand, 'pool.query()'));
  redefine(core, 'execute', abortableMethod(core, execute, errand, 'pool.execute()'));
  redefine(core, 'getConnection', function (first?: unknown, second?: unknown): unknown {
    const sent = errand.take();
    const given = callbackIn(first, second);
    const signals = sent ?? join(listOf(currentSignal()), signalIn(first, 'pool.getConnection()'));
    if (!given) return getConnection.call(core, first);
    // All code of the app that a query's callback calls is bound to its context already.
    const callback = sent ? given : AsyncResource.bind(given);
    if (signals.length === 0) return getConnection.call(core, callback);
    const done: Acquired = (error, connection) => {
      if (connection) guards.get(connection)?.takenFor(signals);
      if (isReasonOf(signals, error)) tellReason(callback, error);
      else callback(error, connection);
    };
    acquire(waitingRoom(core), (then) => getConnection.call(core, then), signals, done);
    return undefined;
  });
}

function guardConnections(core: CorePool, cancelTimeoutMs: number): WeakMap<object, ConnectionGuard> {
  const guards = new WeakMap<object, ConnectionGuard>();
  core.on('acquire', (connection: CoreConnection) => {
    if (guards.has(connection)) return;
    const driver = new Mysql2GuardedConnection(connection);
    const guard = new ConnectionGuard(driver, cancelTimeoutMs);
    guards.set(connection, guard);
    const { query, execute, release } = connection;
    driver.askServer(query);
    redefine(connection, 'query', guardedQuery({ connection, guard, driver }, query));
    redefine(connection, 'execute', guardedExecute({ connection, guard, driver }, execute));
    redefine(connection, 'release', () =>
      guard.release(undefined, (error) => {
        if (error) connection.destroy();
        else release.call(connection);
      }),
    );
    connection.on('error', (error) => guard.lost(error));
  });
  return guards;
}

function abortableMethod(core: CorePool, plain: Method, errand: ErrandDesk<Signals>, where: string): Method {
  return function (sql?: unknown, values?: unknown, callback?: unknown): unknown {
    const given = callbackIn(values, callback);
    const signals = join(listOf(currentSignal()), signalIn(sql, where));
    const bound = given && AsyncResource.bind(given);
    const list = typeof values === 'function' ? undefined : values;
    const run = (done?: Done): unknown =>
      errand.during(signals, () =>
        plain.call(core, sql, ...(list === undefined ? [] : [list]), ...(done ? [done] : [])),
      );
    if (signals.length === 0 || !bound) return run(bound);
    const tell = (error: unknown, ...results: unknown[]): void => {
      if (isReasonOf(signals, error)) tellReason(bound, error);
      else bound(error, ...results);
    };
    if (abortedReason(signals)) {
      runAborted(signals, run, tell);
      return new EventEmitter();
    }
    let command: unknown;
    runAborted(signals, (done) => (command = run(done)), tell);
    return command;
  };
}
