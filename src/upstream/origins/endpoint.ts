import type { Undici } from '../load-undici';
import { LearningPool, type Address, type SocketOptions } from '../sockets/learning-pool';
import type { EndpointStats } from '../types';
import { EndpointHealth } from './outlier-detection';

/** Hears of the failures of endpoints, to choose among them. */
export interface EndpointWatcher {
  readonly resets: { first: number; reused: number };
  failed(endpoint: Endpoint): void;
}

/** A destination of calls: an origin, or one of several addresses of its name. */
export class Endpoint {
  readonly pool: LearningPool;
  readonly health = new EndpointHealth();
  readonly resets = { first: 0, reused: 0 };
  /** Tries that have chosen this endpoint and are not over. */
  busy = 0;
  private requests = 0;
  private failures = 0;

  /**
   * @param address - The address of the name to which the sockets of this endpoint go. If undefined, the name is resolved
   *   whenever a socket is opened.
   * @param others - The other addresses, for sockets that cannot be opened to this one (RFC 8305).
   */
  constructor(
    undici: Undici,
    readonly origin: string,
    options: SocketOptions,
    private readonly watcher: EndpointWatcher,
    readonly address?: Address,
    others?: () => readonly Address[],
  ) {
    const addresses = address && others && { own: address, others, onDetour: () => this.failed() };
    this.pool = new LearningPool(undici, origin, options, addresses);
  }

  begin(): void {
    this.busy += 1;
  }

  /** A request is about to be sent: the try's own, or that of a redirect. */
  requested(): void {
    this.requests += 1;
  }

  end(): void {
    this.busy -= 1;
  }

  /** It has given a complete answer, other than 502, 503, 504. */
  succeeded(): void {
    this.health.succeeded();
  }

  /** No answer, a broken one, or 502, 503, 504. */
  failed(): void {
    this.failures += 1;
    this.watcher.failed(this);
  }

  /** A connection broke under a request. */
  broke(on: 'first' | 'reused'): void {
    this.resets[on] += 1;
    this.watcher.resets[on] += 1;
  }

  stats(): EndpointStats {
    const { origin, address, requests, failures, busy, resets, health, pool } = this;
    return {
      origin,
      ...(address && { address: address.address }),
      requests,
      failures,
      inFlight: busy,
      ejected: health.isEjected(performance.now()),
      ejections: health.ejections,
      resets: { ...resets },
      keepAlive: { limit: pool.limit.ms, learned: pool.limit.learned },
    };
  }
}
