import { ConnectionGuard } from '../connection-guard';
import { isFit } from './check';
import { guardedQuery } from './client-query';
import { PgGuardedConnection } from './pg-connection';
import type { PgClient } from './types';

const GUARD = Symbol('express-hangup.guard');
const RELEASE = Symbol('express-hangup.release');

type Release = (error?: unknown) => void;

/** A client under guard. */
interface GuardedClient extends PgClient {
  [GUARD]: ConnectionGuard;
  [RELEASE]: Release | undefined;
}

/** The guard of a client; `undefined` for one whose queries cannot be cancelled. */
export function guardOf(client: object | undefined): ConnectionGuard | undefined {
  return (client as Partial<GuardedClient> | undefined)?.[GUARD];
}

/**
 * Puts the clients of one pool under guard. Their `query()` and `release` are on a shared prototype in front of
 * their own. If each client had its own functions, each would have its own shape in V8, and all of `pg`'s work on
 * it would be slower.
 */
export class GuardedClients {
  private readonly prototypes = new WeakMap<object, object>();

  constructor(
    private readonly streamOf: unknown,
    private readonly cancelTimeoutMs: number,
  ) {}

  /** Puts a client under guard that is not yet. */
  add(client: PgClient): void {
    if (guardOf(client) || !isFit(client)) return;
    const guard = new ConnectionGuard(new PgGuardedConnection(client, this.streamOf), this.cancelTimeoutMs);
    define(client, GUARD, guard);
    define(client, RELEASE, undefined);
    // pg-pool has set it at a checkout before this pool was abortable.
    if (Object.hasOwn(client, 'release')) Reflect.deleteProperty(client, 'release');
    Object.setPrototypeOf(client, this.prototypeFor(client));
    if (Object.hasOwn(client, 'query')) define(client, 'query', queryBefore({ query: client.query }));
  }

  private prototypeFor(client: PgClient): object {
    const own = Object.getPrototypeOf(client) as PgClient;
    const known = this.prototypes.get(own);
    if (known) return known;
    const guarded = Object.create(own) as object;
    define(guarded, 'query', queryBefore(own));
    Object.defineProperty(guarded, 'release', {
      configurable: true,
      enumerable: true,
      get: release,
      set: setRelease,
    });
    this.prototypes.set(own, guarded);
    return guarded;
  }
}

/** A `query()` before another object's. It looks that one up at each call, because a tracer may have replaced it. */
function queryBefore(plain: { query: PgClient['query'] }): PgClient['query'] {
  return function query(
    this: GuardedClient,
    config?: unknown,
    values?: unknown,
    callback?: unknown,
  ): unknown {
    return guardedQuery(this, plain, this[GUARD], config, values, callback);
  };
}

function release(this: GuardedClient): Release | undefined {
  return this[RELEASE];
}

/** pg-pool gives a client a new `release` each time that it hands it out. */
function setRelease(this: GuardedClient, own: Release): void {
  const guard = this[GUARD];
  let isReleased = false;
  const releaseOnce: Release = (error) => {
    // pg-pool's own error. pg-pool would throw it too late while a cancel is under way.
    if (isReleased) throw new Error('Release called on client which has already been released to the pool.');
    isReleased = true;
    guard.release(error, own);
  };
  this[RELEASE] = releaseOnce;
}

function define(target: object, name: string | symbol, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, enumerable: false, writable: true });
}
