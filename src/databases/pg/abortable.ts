import { AsyncResource } from 'node:async_hooks';
import { currentSignal } from '../../request/context';
import { join, listOf, signalIn } from '../abort-listeners';
import { acquire, type Acquired } from '../acquire';
import { ErrandDesk } from '../errand-desk';
import { promised, type Done } from '../promised';
import { callbackIn, redefine } from '../run-aborted';
import { cancelTimeoutOf, type AbortableOptions } from '../settings';
import { checkPool, refuse } from './check';
import { guardOf, GuardedClients } from './guarded-client';
import { PoolQuery } from './pool-query';
import { waitingRoom } from './waiting-room';
import type { AbortablePool, PgClient, PgPool } from './types';

type Query = (...args: unknown[]) => unknown;

/** A pool's own methods, as they were. */
interface Plain {
  query: Query;
  connect: Query;
}

/** The query for which a pool's `query()` calls `connect()`: one without a signal, or one that obeys signals. */
const NO_SIGNAL = Symbol('no signal');
type Errand = PoolQuery | typeof NO_SIGNAL;

const abortablePools = new WeakSet<object>();

/**
 * Makes a pool's queries end in the database when their request ends. It changes the pool: `query()` and
 * `connect()` then take a signal.
 *
 * - `query({ text, values, signal })` ends with that signal. In the context of a request (`hangup({ context: true })`)
 *   each query ends with the request, and no signal need be passed.
 * - A connection from `connect()` in such a context, or from `connect({ signal })`, works for that request. When the
 *   request ends, the running query is cancelled, and its promise rejects with the request's reason. After that the
 *   connection works normally again, so that the caller can send its ROLLBACK and clean up.
 * - A request that waits for a connection leaves the pool's queue.
 *
 * A query is cancelled by PostgreSQL's CancelRequest, over a connection of its own. The connection of the cancelled query goes
 * back to the pool only when the cancel is known to be over; otherwise it is closed.
 *
 * @param pool - A `Pool` of pg 8. It is changed, and given back; a second call changes nothing.
 * @throws TypeError if `pool` is no such pool. The message says what it is.
 */
export function abortable<Pool extends PgPool>(
  pool: Pool,
  options: AbortableOptions = {},
): AbortablePool<Pool> {
  const cancelTimeoutMs = cancelTimeoutOf(options);
  checkPool(pool);
  const result = pool as AbortablePool<Pool>;
  if (abortablePools.has(pool)) return result;
  abortablePools.add(pool);
  const clients = new GuardedClients(
    (pool as { options?: { stream?: unknown } }).options?.stream,
    cancelTimeoutMs,
  );
  pool.on('acquire', (client: PgClient) => clients.add(client));
  const { query, connect } = pool as unknown as Plain;
  const plain = { query, connect };
  const errand = new ErrandDesk<Errand>();
  redefine(pool, 'query', abortableQuery(pool, plain, errand));
  redefine(pool, 'connect', abortableConnect(pool, plain, errand));
  return result;
}

function abortableQuery(pool: PgPool, plain: Plain, errand: ErrandDesk<Errand>): Query {
  const room = waitingRoom(pool);
  return function query(config?: unknown, values?: unknown, callback?: unknown): unknown {
    // pg itself refuses a function in the place of the text.
    if (typeof config === 'function') return plain.query.call(pool, config, values, callback);
    const given = callbackIn(values, callback);
    const bound = given && AsyncResource.bind(given);
    const list = typeof values === 'function' ? undefined : values;
    const signals = join(listOf(currentSignal()), signalIn(config, 'pool.query()'));
    if (signals.length === 0)
      return errand.during(NO_SIGNAL, () => plain.query.call(pool, config, list, bound));
    const start = (done: Done): void => {
      const query = new PoolQuery(signals, config, room, done);
      query.run((then) => errand.during(query, () => plain.query.call(pool, config, list, then)));
    };
    if (!bound) return promised(signals, start);
    start(bound);
    return undefined;
  };
}

function abortableConnect(pool: PgPool, plain: Plain, errand: ErrandDesk<Errand>): Query {
  const room = waitingRoom(pool);
  return function connect(first?: unknown, second?: unknown): unknown {
    const ofQuery = errand.take();
    const given = callbackIn(first, second);
    if (ofQuery && given) {
      const callback = ofQuery === NO_SIGNAL ? poolsOwn(given) : ofQuery.acquired(given);
      return plain.connect.call(pool, callback);
    }
    const signals = join(listOf(currentSignal()), signalIn(first, 'pool.connect()'));
    const callback = given && AsyncResource.bind(given);
    if (signals.length === 0) return callback ? plain.connect.call(pool, callback) : plain.connect.call(pool);
    const take = (done: Acquired): void => {
      const whenTaken = takenFor(signals, done);
      acquire(room, (then) => plain.connect.call(pool, then), signals, whenTaken);
    };
    if (!callback) return promised(signals, take);
    take(callback);
    return undefined;
  };
}

/** The callback for a connection that works for a request until it is released. */
function takenFor(signals: readonly AbortSignal[], done: Acquired): Acquired {
  return (error, connection, release) => {
    const client = connection as PgClient | undefined;
    const guard = guardOf(client);
    if (guard === undefined) {
      refuse(done, error, client);
      return;
    }
    guard.takenFor(signals);
    done(error, client, release);
  };
}

/** pg-pool's callback in a query. It tells the client that the next query is the pool's. */
function poolsOwn(callback: Acquired): Acquired {
  return (error, client, release) => {
    const guard = guardOf(client);
    if (guard) guard.isPoolsOwn = true;
    callback(error, client, release);
  };
}
