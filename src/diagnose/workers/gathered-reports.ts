import type { Report } from '../report';
import { mergeReports } from './merge-reports';

/** How many answers wait until they are merged: so many are in memory at most, and no merge stops the process for long. */
const AT_ONCE = 8;

/**
 * One report of what workers have answered, merged as the answers come. The app's own code, or another version of this
 * package, may have sent anything: what is no report counts as missing.
 */
export class GatheredReports {
  private answers: unknown[] = [];
  private missing = 0;

  add(answer: unknown): void {
    this.answers.push(answer);
    if (this.answers.length > AT_ONCE) this.merge();
  }

  /**
   * All in one, which says in words how many workers are missing in it.
   * @param silent - How many workers have not answered.
   * @returns `undefined` if there is no report at all.
   */
  merged(silent: number): Report | undefined {
    const merged = this.merge();
    const missing = silent + this.missing;
    if (merged === undefined || missing === 0) return merged;
    return { ...merged, findings: [inWords(missing, merged.processes.length), ...merged.findings] };
  }

  private merge(): Report | undefined {
    const merged = mergedOf(this.answers) ?? this.mergeWithoutRubbish();
    this.answers = merged ? [merged] : [];
    return merged;
  }

  private mergeWithoutRubbish(): Report | undefined {
    const reports = this.answers.filter((answer) => mergedOf([answer]) !== undefined);
    this.missing += this.answers.length - reports.length;
    return mergedOf(reports);
  }
}

/** `undefined` if there is none, or if one is no report. */
function mergedOf(answers: readonly unknown[]): Report | undefined {
  if (answers.length === 0) return undefined;
  try {
    return mergeReports(answers as readonly Report[]);
  } catch {
    return undefined;
  }
}

function inWords(missing: number, shown: number): string {
  const all = missing + shown;
  return `${missing} of ${all} workers are not in this report: they have not answered within a second, do not call diagnose(), or run another version of express-hangup.`;
}
