import type { LeftOut, Report } from '../report';

/** How long each list may be, as in the report of one process. */
const MOST = { origins: 30, late: 50, timeouts: 100, findings: 50, faultGroups: 200 };

/** The lists of several reports, put together, in their order. */
export type MergedLists = Pick<Report, keyof typeof MOST>;

/** The beginning of each list, and what is missing then, with what the reports themselves left out. */
export function cutLists(whole: MergedLists, before: readonly LeftOut[]): MergedLists & { leftOut: LeftOut } {
  const { origins, late, timeouts, findings, faultGroups } = whole;
  const sum = (name: keyof LeftOut): number => before.reduce((all, one) => all + one[name], 0);
  // Several processes mostly leave out the same ones.
  const atLeast = (name: keyof LeftOut): number => Math.max(...before.map((one) => one[name]));
  return {
    origins: origins.slice(0, MOST.origins),
    late: late.slice(0, MOST.late),
    timeouts: timeouts.slice(0, MOST.timeouts),
    findings: findings.slice(0, MOST.findings),
    faultGroups: faultGroups.slice(0, MOST.faultGroups),
    leftOut: {
      requests: sum('requests'),
      faults: sum('faults') + countIn(faultGroups.slice(MOST.faultGroups)),
      late: sum('late') + countIn(late.slice(MOST.late)),
      servers: atLeast('servers'),
      origins: atLeast('origins') + beyond(origins, MOST.origins),
      timeouts: atLeast('timeouts') + beyond(timeouts, MOST.timeouts),
      findings: atLeast('findings') + beyond(findings, MOST.findings),
    },
  };
}

function beyond(list: readonly unknown[], most: number): number {
  return Math.max(0, list.length - most);
}

function countIn(entries: readonly { readonly count: number }[]): number {
  return entries.reduce((sum, { count }) => sum + count, 0);
}
