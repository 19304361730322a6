import { commitOnBranch, run } from './git';
import { commitMessage, type FixReport } from './report';

/** Commits the repairs on a branch, and with `pr` opens a pull request; the report then says so. */
export function deliver(report: FixReport, branch: string, pr: boolean, root: string): FixReport {
  if (!report.written) return report;
  const message = commitMessage(report);
  const files = [...report.outcomes]
    .filter(([, { before, after }]) => before !== after)
    .map(([file]) => file);
  commitOnBranch(branch, files, message, root);
  const committed = `Committed on the branch ${branch}.`;
  const notes = [...report.notes, committed, ...(pr ? pullRequest(branch, message, root) : [])];
  return { ...report, notes };
}

function pullRequest(branch: string, message: string, root: string): string[] {
  const [title = '', ...rest] = message.split('\n');
  const body = rest.join('\n').trim();
  const commands = [`git push --set-upstream origin ${branch}`, `gh pr create --head ${branch} --fill`];
  const byHand = (why: string): string[] => [
    `${why} To open the pull request:`,
    ...commands.map((each) => `  ${each}`),
  ];
  if (run('gh', ['--version'], root).status !== 0) return byHand('gh is not installed.');
  const pushed = run('git', ['push', '--set-upstream', 'origin', branch], root);
  if (pushed.status !== 0) return byHand(`git push failed: ${pushed.stderr.trim()}`);
  const opened = run('gh', ['pr', 'create', '--head', branch, '--title', title, '--body', body], root);
  return opened.status === 0
    ? [`Pull request: ${opened.stdout.trim()}`]
    : byHand(`gh failed: ${opened.stderr.trim()}`);
}
