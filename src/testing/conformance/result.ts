import type { ConformanceCell } from './cell';
import type { ConformancePlan } from './plan';
import { conformanceSummary } from './verdicts/summary';
import { conformanceTable } from './verdicts/table';
import { whyTurnedAway } from './verdicts/turned-away';

/** The result of a run of `conformance()`. */
export interface ConformanceResult {
  readonly cells: readonly ConformanceCell[];
  /** Whether no cell is wrong and the run was not `vacuous`. Flaky cells do not count. */
  readonly ok: boolean;
  readonly right: number;
  readonly wrong: number;
  readonly flaky: number;
  readonly unseen: number;
  /** Why the run has tested nothing, or too little because the app turned clients away, in words; else `undefined`. */
  readonly vacuous: string | undefined;
  /** The matrix to read, with the summary below; 80 columns wide. */
  table: () => string;
  /** What is wrong, sorted by cause, with a hint for each. */
  summary: () => string;
  /** Throws an Error with the table and the summary if a cell is wrong or nothing was seen. */
  expectRight: () => void;
  /** The same as plain data. */
  readonly json: {
    readonly route: string;
    readonly deadline: number;
    readonly ok: boolean;
    readonly vacuous: string | undefined;
    readonly cells: readonly ConformanceCell[];
  };
}

/** Counts the cells, and says whether the run has seen anything. */
export function resultOf(
  plan: ConformancePlan,
  url: URL,
  cells: readonly ConformanceCell[],
  hasUpstream: boolean,
): ConformanceResult {
  const count = (verdict: ConformanceCell['verdict']): number =>
    cells.filter((cell) => cell.verdict === verdict).length;
  const wrong = count('wrong');
  const vacuous = whyVacuous(cells, hasUpstream);
  const ok = wrong === 0 && vacuous === undefined;
  const table = (): string => conformanceTable(`${plan.route} at ${url.origin}`, cells, vacuous);
  const summary = (): string => conformanceSummary(cells, vacuous);
  return {
    cells,
    ok,
    right: count('right'),
    wrong,
    flaky: count('flaky'),
    unseen: count('unseen'),
    vacuous,
    table,
    summary,
    expectRight: () => {
      const first = wrong > 0 ? `${wrong} of ${cells.length} cells are wrong.` : vacuous;
      if (!ok) throw new Error(`${first}\n\n${table()}`);
    },
    json: { route: plan.route, deadline: plan.deadline, ok, vacuous, cells },
  };
}

/** Why a run has tested too little: it was to break the upstream, and the app has never met the fault. */
function whyVacuous(cells: readonly ConformanceCell[], hasUpstream: boolean): string | undefined {
  const methods = [...new Set(cells.map(({ method }) => method))];
  for (const method of methods) {
    const broken = cells.filter((cell) => cell.method === method && cell.fault !== 'ok');
    const all = broken.length > 0 ? broken : cells.filter((cell) => cell.method === method);
    if (all.some(({ verdict }) => verdict !== 'unseen')) continue;
    return hasUpstream
      ? `Nothing was seen of ${method}: ${all[0]?.why}.`
      : `Nothing was broken, because no upstream was given: ${all.length} of ${cells.length} cells were not seen. Give upstream, or say faults: ['ok'].`;
  }
  return whyTurnedAway(cells);
}
