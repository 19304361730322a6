/** Terms and defaults of Envoy's outlier detection: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier */
export const OUTLIER_DEFAULTS = {
  consecutiveGatewayFailure: 5,
  baseEjectionTime: 30_000,
  maxEjectionTime: 300_000,
  maxEjectionPercent: 10,
} as const;

/** As Envoy's `interval`: for each such period without an ejection, an endpoint's next ejection is one base time shorter. */
const FORGIVE_MS = 10_000;

/** The rules by which an endpoint is ejected. */
export interface OutlierRules {
  /** How many failures in a row eject an endpoint. */
  consecutiveGatewayFailure: number;
  /** How long the first ejection lasts, in ms; the second in a row lasts twice as long, and so on. */
  baseEjectionTime: number;
  /** The longest ejection, in ms. */
  maxEjectionTime: number;
  /** How many of the endpoints may be ejected at a time, in percent. One may always be ejected, and never all. */
  maxEjectionPercent: number;
}

/** The failures and ejections of one endpoint. */
export class EndpointHealth {
  /** `performance.now()` until which the endpoint gets no calls. */
  private ejectedUntil = -Infinity;
  private failuresInARow = 0;
  /** The length of the last ejection, in base times. */
  private multiplier = 0;
  /** Ejections so far. */
  ejections = 0;

  isEjected(now: number): boolean {
    return now < this.ejectedUntil;
  }

  succeeded(): void {
    this.failuresInARow = 0;
  }

  /** Counts a failure. Returns whether there have been enough in a row to eject the endpoint. */
  failed(rules: OutlierRules): boolean {
    this.failuresInARow += 1;
    return this.failuresInARow >= rules.consecutiveGatewayFailure;
  }

  eject(rules: OutlierRules, now: number): void {
    const forgiven = Math.floor((now - this.ejectedUntil) / FORGIVE_MS);
    this.multiplier = Math.max(0, this.multiplier - forgiven) + 1;
    this.ejectedUntil = now + Math.min(rules.maxEjectionTime, rules.baseEjectionTime * this.multiplier);
    this.failuresInARow = 0;
    this.ejections += 1;
  }
}

/** How many of `count` endpoints may be ejected at a time. */
export function mostEjected(rules: OutlierRules, count: number): number {
  const share = Math.floor((count * rules.maxEjectionPercent) / 100);
  return Math.min(count - 1, Math.max(1, share));
}
