import type { ConformanceFault } from './matrix';

/** A status, or any success. */
export type ExpectedStatus = number | '2xx';

/** The statuses that an app answers to a fault, if they are not 502 or 504. */
export type ConformanceExpectations = Partial<Record<ConformanceFault | 'all', readonly ExpectedStatus[]>>;

/** What is right for a fault. */
export interface Expectation {
  /** The statuses of a whole answer that are right. */
  status: readonly ExpectedStatus[];
  /** Whether the upstream's answer may have begun to go out before it broke: then the response must break as well. */
  mayBreak?: boolean;
  /** Whether the upstream waits, so that a call which is not stopped is seen to go on. */
  waits?: boolean;
  /** Whether the upstream answers in the end. If so, the expectation `all` does not hold for this fault. */
  isWell?: boolean;
}

const DEFAULTS: Record<ConformanceFault, Expectation> = {
  ok: { status: ['2xx'], isWell: true },
  slow: { status: ['2xx'], waits: true, isWell: true },
  hang: { status: [504], waits: true },
  'hang-body': { status: [504], mayBreak: true, waits: true },
  reset: { status: [502] },
  close: { status: [502] },
  'reset-chunk': { status: [502], mayBreak: true },
  'close-body': { status: [502], mayBreak: true },
  'close-chunk': { status: [502], mayBreak: true },
  garbage: { status: [502] },
  refuse: { status: [502] },
  // A request that meets a dead connection may be sent again, or be a 502; it is neither slow nor the app's own fault.
  stale: { status: ['2xx', 502] },
};

/** Whether a status is one of those that are expected. */
export function isExpected(status: number, { status: allowed }: Expectation): boolean {
  return allowed.includes(status) || (allowed.includes('2xx') && status >= 200 && status < 300);
}

/** What is right for each fault; throws a TypeError for a fault or a status that does not exist. */
export function expectations(given: ConformanceExpectations): Record<ConformanceFault, Expectation> {
  for (const [fault, statuses] of Object.entries(given)) checkExpectation(fault, statuses);
  const entries = (Object.keys(DEFAULTS) as ConformanceFault[]).map((fault) => {
    const entry = DEFAULTS[fault];
    const general = entry.isWell === true ? undefined : given.all;
    // An answer of a well upstream stays right where a request that met a dead connection was sent again.
    const status =
      given[fault] ?? (general && fault === 'stale' ? [...general, '2xx' as const] : general) ?? entry.status;
    return [fault, { ...entry, status }] as const;
  });
  return Object.fromEntries(entries) as Record<ConformanceFault, Expectation>;
}

function checkExpectation(fault: string, statuses: unknown): void {
  const where = `conformance(): expect["${fault}"]`;
  if (fault !== 'all' && !Object.hasOwn(DEFAULTS, fault)) {
    throw new TypeError(
      `${where}: there is no such fault. Known: ${Object.keys(DEFAULTS).join(', ')}, and all.`,
    );
  }
  const isStatus = (value: unknown): boolean =>
    value === '2xx' || (Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599);
  if (!Array.isArray(statuses) || statuses.length === 0 || !statuses.every(isStatus)) {
    throw new TypeError(`${where} is ${JSON.stringify(statuses)}, but must be a list such as [502, "2xx"].`);
  }
}
