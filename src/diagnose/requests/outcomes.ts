import { now } from '../clock';

/** How requests ended. */
export interface OutcomeCounts {
  /** Answered with a status below 400. */
  ok: number;
  /** 4xx. */
  refused: number;
  /** 5xx other than the three below. */
  error: number;
  /** 502. */
  badGateway: number;
  /** 503. */
  unavailable: number;
  /** 504. */
  timeout: number;
  /** The client left before its answer was complete. */
  clientClosed: number;
  /** This process broke the response off. */
  broken: number;
}

/** The kinds of outcomes. */
export type RequestOutcome = keyof OutcomeCounts;

const BUCKETS = 60;
const BUCKET_MS = 5000;

const SPECIAL: Readonly<Record<number, RequestOutcome>> = {
  499: 'clientClosed',
  502: 'badGateway',
  503: 'unavailable',
  504: 'timeout',
};

/** The outcome that a complete response's status stands for. */
export function outcomeOf(status: number): RequestOutcome {
  const special = SPECIAL[status];
  if (special) return special;
  if (status >= 500) return 'error';
  return status >= 400 ? 'refused' : 'ok';
}

function none(): OutcomeCounts {
  return {
    ok: 0,
    refused: 0,
    error: 0,
    badGateway: 0,
    unavailable: 0,
    timeout: 0,
    clientClosed: 0,
    broken: 0,
  };
}

/** Counts outcomes over the last five minutes, in buckets of five seconds that are used in a ring. */
export class Outcomes {
  private readonly total = none();
  private readonly ring: OutcomeCounts[] = Array.from({ length: BUCKETS }, none);
  /** The number of the newest bucket, counted from the start of the clock. */
  private newest = Math.floor(now() / BUCKET_MS);

  count(outcome: RequestOutcome): void {
    this.total[outcome]++;
    this.current()[outcome]++;
  }

  report(): { bucketMs: number; buckets: OutcomeCounts[]; total: OutcomeCounts } {
    this.current();
    const first = (this.newest + 1) % BUCKETS;
    const buckets = [...this.ring.slice(first), ...this.ring.slice(0, first)];
    return {
      bucketMs: BUCKET_MS,
      buckets: buckets.map((bucket) => ({ ...bucket })),
      total: { ...this.total },
    };
  }

  private current(): OutcomeCounts {
    const number = Math.floor(now() / BUCKET_MS);
    const passed = Math.min(number - this.newest, BUCKETS);
    for (let step = 1; step <= passed; step++) this.ring[(number - passed + step) % BUCKETS] = none();
    this.newest = Math.max(number, this.newest);
    return (this.ring[this.newest % BUCKETS] ??= none());
  }
}
