import type { LookupFunction, Socket } from 'node:net';
import type { buildConnector, Dispatcher, Pool } from 'undici';
import { PooledConnection } from './pooled-connection';
import { KeepAliveLimit } from './keep-alive-limit';
import type { Undici } from '../load-undici';
import type { UpstreamOptions } from '../types';
import { observerOf, watchHandler, type RequestObserver } from './watch-handler';

/** A socket is closed this much sooner than the upstream's `Keep-Alive: timeout=` says. Node's agent does the same. */
const HINT_MARGIN_MS = 1000;

/** undici's connector. It returns the connecting socket, as `net.connect()` does, but undici's type does not say so. */
type Connector = (...args: Parameters<buildConnector.connector>) => unknown;

/** One address of a name. */
export interface Address {
  readonly address: string;
  readonly family: number;
}

/** For a pool whose sockets go to one of several addresses of a name. */
export interface PinnedAddress {
  readonly own: Address;
  /** All addresses of the name, for a socket that cannot be opened to its own. */
  readonly others: () => readonly Address[];
  /** Called when a socket had to go to another address. */
  readonly onDetour: () => void;
}

/** How the sockets of an upstream are made and kept. */
export interface SocketOptions {
  keepAlive: number | false;
  connections: number;
  connect: NonNullable<UpstreamOptions['connect']>;
}

/**
 * An undici pool that learns. When the upstream drops an unused socket sooner than this client would close it, a pool
 * with a lower limit replaces the old one, whose sockets are closed as soon as they are free.
 */
export class LearningPool {
  readonly limit: KeepAliveLimit;
  private readonly connector: Connector;
  private pool: Pool;
  private readonly retired = new Set<Promise<void>>();

  constructor(
    private readonly undici: Undici,
    readonly origin: string,
    private readonly options: SocketOptions,
    private readonly pinned?: PinnedAddress,
  ) {
    this.limit = new KeepAliveLimit(options.keepAlive === false ? 0 : options.keepAlive);
    // HTTP/1.1 with both undici 7 and 8: what is learned of sockets supposes one request at a time on each.
    this.connector = undici.buildConnector({
      ...options.connect,
      ...(pinned && { lookup: lookupOf(pinned) }),
      allowH2: false,
    } as buildConnector.BuildOptions);
    this.pool = this.newPool();
  }

  get closed(): boolean {
    return this.pool.closed;
  }

  /** How many requests wait for a connection to be free. */
  get queued(): number {
    return this.pool.stats.queued;
  }

  /**
   * Refuses two requests that fetch makes by itself. The first is a redirect to another origin: the pool would send it to
   * its own. The second is the repetition of a request that was answered with 421: it may not be safe to send it twice.
   */
  refuse({ origin }: Dispatcher.DispatchOptions, previousStatus: number): void {
    const { SocketError } = this.undici.errors;
    if (previousStatus === 421) throw new SocketError('bad response: 421 Misdirected Request');
    if (String(origin) !== this.origin) {
      throw new SocketError(
        `bad redirect: to ${String(origin)}, which is another origin (redirect: 'manual' hands it over)`,
      );
    }
  }

  /** The error with which the socket of a failed request is closed: undici fails no other request because of a SocketError. */
  givenUp(): Error {
    return new this.undici.errors.SocketError('given up');
  }

  dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    observer: RequestObserver,
  ): boolean {
    if (this.limit.forget()) this.renew();
    return this.pool.dispatch(options, watchHandler(handler, observer));
  }

  /** The upstream has dropped a socket that was unused for `idleMs`. If that lowers the limit, all sockets are replaced. */
  dropped(idleMs: number): void {
    if (this.limit.learn(idleMs)) this.renew();
  }

  /** Closes each socket once the requests under way have ended. */
  async close(): Promise<void> {
    this.retire(this.pool);
    await Promise.all(this.retired);
  }

  private renew(): void {
    if (this.pool.closed) return;
    this.retire(this.pool);
    this.pool = this.newPool();
  }

  private retire(pool: Pool): void {
    const closed = pool.close().finally(() => this.retired.delete(closed));
    this.retired.add(closed);
  }

  private newPool(): Pool {
    const { Pool } = this.undici;
    const { keepAlive, connections } = this.options;
    return new Pool(this.origin, {
      connections: connections === Infinity ? null : connections,
      connect: this.connector,
      allowH2: false,
      // With `pipelining: 0` undici sends "Connection: close" on every request.
      ...(keepAlive === false && { pipelining: 0 }),
      ...(keepAlive !== false && { keepAliveTimeout: this.limit.ms, keepAliveMaxTimeout: this.limit.ms }),
      keepAliveTimeoutThreshold: HINT_MARGIN_MS,
      factory: (origin, options) => this.newClient(origin, options),
    });
  }

  private newClient(origin: URL, options: object): Dispatcher {
    const connection = new PooledConnection((idleMs) => {
      this.dropped(idleMs);
    });
    const client = new this.undici.Client(origin, { ...options, connect: this.connectorOf(connection) });
    const dispatch = client.dispatch.bind(client);
    const dispatchUnlessGivenUp: typeof dispatch = (request, handler) => {
      // The request was given up while it waited in the pool's queue. undici would give it a socket and then destroy that.
      if (observerOf(handler)?.assign(connection) === false) return true;
      return dispatch(request, handler);
    };
    client.dispatch = dispatchUnlessGivenUp;
    return client;
  }

  private connectorOf(connection: PooledConnection): buildConnector.connector {
    return (options, callback) => {
      const socket = this.connector(options, (...args) => {
        const [error, connected] = args;
        if (error === null) {
          connection.connected(connected);
          if (this.pinned && !isAt(connected, this.pinned.own)) {
            connection.isDetour = true;
            this.pinned.onDetour();
          }
        }
        callback(...args);
      }) as Socket;
      connection.connects(socket, options.hostname);
    };
  }
}

/** Gives Node the pool's own address first, and then the others to fall back on ("Happy Eyeballs"). */
function lookupOf({ own, others }: PinnedAddress): LookupFunction {
  return (_name, { all }, callback) => {
    if (all) callback(null, [own, ...others().filter(({ address }) => address !== own.address)]);
    else callback(null, own.address, own.family);
  };
}

function isAt({ remoteAddress }: Socket, { address }: Address): boolean {
  return remoteAddress === address || remoteAddress === `::ffff:${address}`;
}
