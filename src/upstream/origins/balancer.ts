import type { Undici } from '../load-undici';
import type { SocketOptions } from '../sockets/learning-pool';
import type { Endpoint } from './endpoint';
import { OriginEndpoints, type OriginWatcher } from './origin-endpoints';
import { mostEjected, type OutlierRules } from './outlier-detection';

/**
 * Chooses the endpoint of each try: the less busy of two that are taken at random ("power of two choices", Mitzenmacher
 * 1996). Endpoints that are ejected, because they have failed several times in a row, are left out.
 */
export class Balancer implements OriginWatcher {
  /** The resets of all endpoints, also of those whose address is gone. */
  readonly resets = { first: 0, reused: 0 };

  private readonly origins: readonly OriginEndpoints[];
  private all: readonly Endpoint[] = [];
  /** The only endpoint, if there is nothing to choose: one origin, and no name whose addresses could change. */
  private readonly only: Endpoint | undefined;

  constructor(
    undici: Undici,
    origins: readonly string[],
    options: SocketOptions,
    private readonly rules: OutlierRules | false,
  ) {
    this.origins = origins.map((origin) => new OriginEndpoints(undici, origin, options, this));
    const [first] = this.origins;
    this.only = this.origins.length === 1 && first?.hasName === false ? first.any : undefined;
    this.changed();
  }

  /** All endpoints. */
  get endpoints(): readonly Endpoint[] {
    return this.all;
  }

  /**
   * The endpoint of the next try; undefined while the addresses of a name are not known yet.
   * @param avoid - The endpoint at which the previous try has failed. It is chosen only if there is no other.
   */
  pick(avoid?: Endpoint): Endpoint | undefined {
    if (this.only) return this.only;
    const now = performance.now();
    for (const origin of this.origins) {
      origin.refresh(now);
      if (origin.ready) return undefined;
    }
    return this.choose(this.all, avoid, now);
  }

  /** The endpoint of the next try with a dispatcher that is not ours: that resolves names itself, so only origins count. */
  pickOrigin(avoid?: Endpoint): Endpoint {
    return this.choose(
      this.origins.map(({ any }) => any),
      avoid,
      performance.now(),
    );
  }

  /** Resolves when `pick()` has something to choose from. */
  async ready(): Promise<void> {
    for (const { ready } of this.origins) await ready;
  }

  changed(): void {
    this.all = this.origins.flatMap(({ list }) => list);
  }

  failed(endpoint: Endpoint): void {
    const { all, rules } = this;
    if (rules === false || all.length < 2 || !endpoint.health.failed(rules)) return;
    const now = performance.now();
    const ejected = all.filter(({ health }) => health.isEjected(now));
    if (ejected.includes(endpoint) || ejected.length >= mostEjected(rules, all.length)) return;
    endpoint.health.eject(rules, now);
  }

  async close(): Promise<void> {
    await Promise.all(this.origins.map((origin) => origin.close()));
  }

  private choose(from: readonly Endpoint[], avoid: Endpoint | undefined, now: number): Endpoint {
    const [first] = from as [Endpoint];
    if (from.length === 1) return first;
    const well = from.filter(({ health }) => !health.isEjected(now));
    const others = well.filter((endpoint) => endpoint !== avoid);
    // If every endpoint is ejected, trying one of them is better than no answer.
    const choice = others.length > 0 ? others : well.length > 0 ? well : from;
    const one = Math.floor(Math.random() * choice.length);
    const other = (one + 1 + Math.floor(Math.random() * (choice.length - 1))) % choice.length;
    const [a, b] = [choice[one] ?? first, choice[other] ?? first];
    return b.busy < a.busy ? b : a;
  }
}
