import type { Undici } from '../load-undici';
import type { Address, SocketOptions } from '../sockets/learning-pool';
import { ADDRESSES_MS, addressesOf, nameOf } from './addresses';
import { Endpoint, type EndpointWatcher } from './endpoint';

/** Hears that the endpoints of an origin have changed, or have failed. */
export interface OriginWatcher extends EndpointWatcher {
  changed(): void;
}

/** undici's own limit for connecting, which includes looking up the name. */
const CONNECT_MS = 10_000;

/** The endpoints of one origin: one, or one for each address where its name has several. */
export class OriginEndpoints {
  /** The endpoints to which calls go now. */
  list: readonly Endpoint[];
  /** Resolves when the addresses of the name are known; undefined once they are. */
  ready: Promise<void> | undefined = undefined;
  /** The pools that are closing because their endpoint's address is gone. */
  readonly retired = new Set<Promise<void>>();

  /** Used while the name has one address, or none that is known. Each connection resolves the name itself. */
  private readonly whole: Endpoint;
  private readonly name: string | undefined;
  private addresses: readonly Address[] = [];
  private askedAt = -Infinity;

  constructor(
    private readonly undici: Undici,
    readonly origin: string,
    private readonly options: SocketOptions,
    private readonly watcher: OriginWatcher,
  ) {
    this.whole = new Endpoint(undici, origin, options, watcher);
    this.list = [this.whole];
    this.name = nameOf(origin, options);
  }

  /** The origin as a whole, whatever its addresses: for a dispatcher with sockets of its own. */
  get any(): Endpoint {
    return this.whole;
  }

  /** Whether its addresses have to be looked up. */
  get hasName(): boolean {
    return this.name !== undefined;
  }

  /** Looks the addresses up if they are unknown or old. Meanwhile calls go on with the old ones. */
  refresh(now: number): void {
    if (this.name === undefined || now - this.askedAt < ADDRESSES_MS) return;
    const isFirst = this.askedAt === -Infinity;
    this.askedAt = now;
    const known = addressesOf(this.name, this.options).then((addresses) => this.use(addresses));
    if (!isFirst) return;
    const { timeout = CONNECT_MS } = this.options.connect;
    this.ready = firstOf(known, timeout || CONNECT_MS).then(() => {
      this.ready = undefined;
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.whole, ...this.list].map(({ pool }) => pool.close()));
    await Promise.all(this.retired);
  }

  private use(addresses: readonly Address[]): void {
    // A failed lookup removes no address.
    if (addresses.length === 0 || this.whole.pool.closed) return;
    this.addresses = addresses;
    const before = this.list;
    this.list = addresses.length === 1 ? [this.whole] : addresses.map((address) => this.at(address));
    for (const endpoint of before) {
      if (endpoint === this.whole || this.list.includes(endpoint)) continue;
      const closed = endpoint.pool.close().finally(() => this.retired.delete(closed));
      this.retired.add(closed);
    }
    this.watcher.changed();
  }

  private at(address: Address): Endpoint {
    const known = this.list.find((endpoint) => endpoint.address?.address === address.address);
    return (
      known ??
      new Endpoint(this.undici, this.origin, this.options, this.watcher, address, () => this.addresses)
    );
  }
}

/** Resolves when the promise does, or when the time is up. */
function firstOf(promise: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms).unref();
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
