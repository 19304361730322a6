import { AsyncResource } from 'node:async_hooks';
import { currentSignal } from '../../request/context';
import { join, listOf, signalIn } from '../abort-listeners';
import { acquire, type Acquired } from '../acquire';
import { ConnectionGuard } from '../connection-guard';
import { ErrandDesk } from '../errand-desk';
import { promised, type Done } from '../promised';
import { callbackIn, redefine, runAborted } from '../run-aborted';
import { cancelTimeoutOf, type AbortableOptions } from '../settings';
import { checkPool, isFit, unfit } from './check';
import { guardedQuery } from './client-query';
import { PgGuardedConnection } from './pg-connection';
import { waitingRoom } from './waiting-room';
import type { AbortablePool, PgClient, PgPool } from './types';

type Query = (...args: unknown[]) => unknown;

/** A pool's own methods, as they were. */
interface Plain {
  query: Query;
  connect: Query;
}

const abortablePools = new WeakSet<object>();

/**
 * Makes a pool's queries end in the database when their request ends: the same pool, with `query()` and `connect()` that obey a
 * signal.
 *
 * - `query({ text, values, signal })` obeys that signal. In the context of a request (`hangup({ context: true })`) each query obeys
 *   the request, with nothing passed.
 * - A connection from `connect()` in such a context, or from `connect({ signal })`, works for that request: what runs on it is
 *   cancelled, the promise rejects with the request's reason, and from then on the connection is the caller's, for its
 *   ROLLBACK and whatever else it has to put in order.
 * - Who waits for a connection leaves the queue.
 *
 * A query is cancelled by PostgreSQL's CancelRequest, over a connection of its own. The connection of the cancelled query goes
 * back to the pool only when the cancel is known to be over; otherwise it is closed.
 *
 * @param pool - A `Pool` of pg 8. It is changed, and given back; a second call changes nothing.
 * @throws TypeError where it is none, in words that say what it is.
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
  const guards = guardClients(pool, cancelTimeoutMs);
  const { query, connect } = pool as unknown as Plain;
  const plain = { query, connect };
  const errand = new ErrandDesk();
  redefine(pool, 'query', abortableQuery(pool, plain, errand));
  redefine(pool, 'connect', abortableConnect(pool, plain, errand, guards));
  return result;
}

/** Puts a guard on each client when it is taken from the pool for the first time. */
function guardClients(pool: PgPool, cancelTimeoutMs: number): WeakMap<object, ConnectionGuard> {
  const guards = new WeakMap<object, ConnectionGuard>();
  const { options } = pool as { options?: { stream?: unknown } };
  pool.on('acquire', (client: PgClient) => {
    if (guards.has(client) || !isFit(client)) return;
    const guard = new ConnectionGuard(new PgGuardedConnection(client, options?.stream), cancelTimeoutMs);
    guards.set(client, guard);
    redefine(client, 'query', guardedQuery(client, client.query, guard));
    guardRelease(client, guard);
  });
  return guards;
}

/** pg-pool gives a client a new `release` each time that it hands it out. */
function guardRelease(client: PgClient, guard: ConnectionGuard): void {
  let release = client.release;
  Object.defineProperty(client, 'release', {
    configurable: true,
    enumerable: true,
    get: () => release,
    set(own: (error?: unknown) => void) {
      let isReleased = false;
      release = (error) => {
        // In pg-pool's own words, which would come too late while a cancel is under way.
        if (isReleased)
          throw new Error('Release called on client which has already been released to the pool.');
        isReleased = true;
        guard.release(error, own);
      };
    },
  });
}

function abortableQuery(pool: PgPool, plain: Plain, errand: ErrandDesk): Query {
  return function query(config?: unknown, values?: unknown, callback?: unknown): unknown {
    // What pg refuses in its own words: a function in the place of the text.
    if (typeof config === 'function') return plain.query.call(pool, config, values, callback);
    const given = [values, callback].find((argument) => typeof argument === 'function') as Done | undefined;
    const bound = given && AsyncResource.bind(given);
    const list = typeof values === 'function' ? undefined : values;
    const signals = join(listOf(currentSignal()), signalIn(config, 'pool.query()'));
    const run = (done?: Done): unknown =>
      errand.during(signals, () => plain.query.call(pool, config, list, done));
    if (signals.length === 0) return run(bound);
    const settle = (done: Done): void => runAborted(signals, run, done);
    if (bound) {
      settle(bound);
      return undefined;
    }
    return promised(settle);
  };
}

function abortableConnect(
  pool: PgPool,
  plain: Plain,
  errand: ErrandDesk,
  guards: WeakMap<object, ConnectionGuard>,
): Query {
  return function connect(first?: unknown, second?: unknown): unknown {
    const ofQuery = errand.take();
    const given = callbackIn(first, second);
    const signals = ofQuery?.signals ?? join(listOf(currentSignal()), signalIn(first, 'pool.connect()'));
    const callback = given && (ofQuery ? poolsOwn(given, guards) : AsyncResource.bind(given));
    if (signals.length === 0) return callback ? plain.connect.call(pool, callback) : plain.connect.call(pool);
    const take = (done: Acquired): void => {
      acquire(
        waitingRoom(pool),
        (then) => plain.connect.call(pool, then),
        signals,
        (error, connection, release) => {
          const client = connection as PgClient | undefined;
          const guard = client && guards.get(client);
          guard?.takenFor(signals);
          if (client === undefined || guard) done(error, client, release);
          else {
            client.release?.();
            done(unfit(client));
          }
        },
      );
    };
    if (callback) {
      take(callback);
      return undefined;
    }
    return promised(take);
  };
}

/** pg-pool's own callback, in a query: the client learns that what comes next is the pool's. */
function poolsOwn(callback: Acquired, guards: WeakMap<object, ConnectionGuard>): Acquired {
  return (error, client, release) => {
    const guard = client && guards.get(client);
    if (guard) guard.isPoolsOwn = true;
    callback(error, client, release);
  };
}
