import type { Report } from '../report';
import { mergeReports } from './merge-reports';

/**
 * One report of what the primary has handed over, which says in words how many workers are missing in it. The app's own code,
 * or another version of this package, may have sent anything: what is no report counts as missing.
 * @param silent - How many workers have not answered.
 * @returns `undefined` if there is no report at all.
 */
export function mergeAnswers(answers: readonly unknown[], silent: number): Report | undefined {
  const reports = areReports(answers) ? answers : answers.filter((answer) => areReports([answer]));
  if (reports.length === 0) return undefined;
  const merged = mergeReports(reports as readonly Report[]);
  const missing = silent + answers.length - reports.length;
  if (missing === 0) return merged;
  return { ...merged, findings: [inWords(missing, merged.processes.length), ...merged.findings] };
}

function areReports(answers: readonly unknown[]): answers is readonly Report[] {
  try {
    mergeReports(answers as readonly Report[]);
    return true;
  } catch {
    return false;
  }
}

function inWords(missing: number, shown: number): string {
  const all = missing + shown;
  return `${missing} of ${all} workers are not in this report: they have not answered within a second, do not call diagnose(), or run another version of express-hangup.`;
}
