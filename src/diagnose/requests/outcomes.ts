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

/** Outcomes over time: buckets of the same length, the oldest first, the one that is being filled last. */
export interface OutcomeHistory {
  bucketMs: number;
  buckets: OutcomeCounts[];
}

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

/** Nothing counted yet. */
export function noOutcomes(): OutcomeCounts {
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

/** Counts outcomes over a stretch of time, in buckets that are used in a ring. */
class OutcomeRing {
  private readonly ring: OutcomeCounts[];
  /** The number of the newest bucket, counted from the start of the clock. */
  private newest: number;

  constructor(
    private readonly size: number,
    private readonly bucketMs: number,
  ) {
    this.ring = Array.from({ length: size }, noOutcomes);
    this.newest = Math.floor(now() / bucketMs);
  }

  count(outcome: RequestOutcome, at: number): void {
    this.current(at)[outcome]++;
  }

  report(): OutcomeHistory {
    this.current(now());
    const first = (this.newest + 1) % this.size;
    const buckets = [...this.ring.slice(first), ...this.ring.slice(0, first)];
    return { bucketMs: this.bucketMs, buckets: buckets.map((bucket) => ({ ...bucket })) };
  }

  private current(at: number): OutcomeCounts {
    const number = Math.floor(at / this.bucketMs);
    const passed = Math.min(number - this.newest, this.size);
    for (let step = 1; step <= passed; step++) this.ring[(number - passed + step) % this.size] = noOutcomes();
    this.newest = Math.max(number, this.newest);
    return (this.ring[this.newest % this.size] ??= noOutcomes());
  }
}

/** Counts outcomes: in all, over the last five minutes by five seconds, and over the last twelve hours by five minutes. */
export class Outcomes {
  private readonly total = noOutcomes();
  private readonly minutes = new OutcomeRing(60, 5000);
  private readonly hours = new OutcomeRing(144, 300_000);

  count(outcome: RequestOutcome, at = now()): void {
    this.total[outcome]++;
    this.minutes.count(outcome, at);
    this.hours.count(outcome, at);
  }

  report(): OutcomeHistory & { total: OutcomeCounts; hours: OutcomeHistory } {
    return { ...this.minutes.report(), total: { ...this.total }, hours: this.hours.report() };
  }
}
