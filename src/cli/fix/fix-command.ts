import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Terminal } from '../command-line';
import { fixArguments, USAGE, type FixArguments } from './arguments';
import { deliver } from './deliver';
import { faultsFirst, readFaults } from './faults';
import { checkBranch, filesOfRepository, repositoryOf, uncommitted } from './git';
import { loadPartners } from './project/partners';
import { nameOf } from './project/inspection';
import { foldersWithoutMount, openProject, repairFile, type Project } from './project/project';
import type { FileOutcome, Finding } from './repair-file';
import { asJson, inWords, type FixReport } from './report';
import { isInside, sourceFiles } from './project/source-files';
import { TestsFail } from './tests-fail';
import { writeVerified } from './write-verified';

/** Runs `express-hangup fix …` in a folder; gives the exit code, and never throws. */
export async function fixCommand(
  args: readonly string[],
  { out, err }: Terminal,
  cwd: string = process.cwd(),
): Promise<number> {
  try {
    const given = fixArguments(args);
    if (given === undefined) {
      out(USAGE);
      return 0;
    }
    const report = await fix(given, realpathSync(cwd), err);
    out(given.json ? `${JSON.stringify(asJson(report), undefined, 2)}\n` : inWords(report));
    return given.check && report.repaired.length > 0 ? 1 : 0;
  } catch (error) {
    err(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof TestsFail ? 1 : 2;
  }
}

async function fix(given: FixArguments, cwd: string, tell: (text: string) => void): Promise<FixReport> {
  const root = placeOf(given, cwd);
  const faults = given.from === undefined ? [] : readFaults(resolve(cwd, given.from));
  const known = filesOfRepository(root, true);
  const files = sourceFiles(given.paths, cwd, (file) => known?.has(file) ?? true);
  const project = openProject(files, root, loadPartners(cwd, root), given);
  const planned = repairAll(project);
  if (given.write) refuseUntracked(planned.outcomes, root);
  const found = faultsFirst(mountsFirst(planned.repaired), faults);
  const verified = given.write
    ? await writeVerified(found, planned.outcomes, project, given.verify, cwd, tell)
    : { outcomes: planned.outcomes, takenBack: [], notes: [] };
  const kept = summed(verified.outcomes, root);
  const report: FixReport = {
    outcomes: named(kept.outcomes, root),
    repaired: faultsFirst(inOrder(kept.repaired), faults),
    left: faultsFirst(inOrder(kept.left.filter(isNotOneOf(verified.takenBack))), faults),
    takenBack: verified.takenBack,
    unreadable: [...project.unreadable, ...kept.unreadable],
    faults,
    hasMount: project.mounted.length > 0,
    withoutMount: foldersWithoutMount(kept.left, project),
    written: given.write && kept.repaired.length > 0,
    notes: verified.notes,
  };
  return given.branch === undefined ? report : deliver(report, given.branch, given.pr, root);
}

/** The folder that nothing may be written outside of; with --write a repository in which all is committed. */
function placeOf(given: FixArguments, cwd: string): string {
  const repository = repositoryOf(cwd);
  if (!given.write) return repository === undefined ? cwd : realpathSync(repository);
  if (repository !== undefined && given.branch !== undefined) checkBranch(given.branch, repository);
  if (repository === undefined)
    throw new Error('--write works in a git repository only: without one nobody could take a repair back.');
  const changes = uncommitted(cwd);
  if (changes !== '')
    throw new Error(`Commit these first, so that repairs and your work stay apart:\n${changes}`);
  const root = realpathSync(repository);
  if (!isInside(cwd, root)) throw new Error(`${cwd} lies outside of ${root}.`);
  return root;
}

/** Refuses to write files that git does not track, because git could not restore them. */
function refuseUntracked(outcomes: Repaired['outcomes'], root: string): void {
  const tracked = filesOfRepository(root, false);
  const changed = [...outcomes].filter(([, { before, after }]) => before !== after).map(([file]) => file);
  const untracked = changed.filter((file) => tracked?.has(file) !== true).map((file) => nameOf(file, root));
  if (untracked.length > 0)
    throw new Error(`Commit these first, as git could not give them back:\n?? ${untracked.join('\n?? ')}`);
}

/** What a run over all files came to. */
export interface Repaired {
  readonly outcomes: ReadonlyMap<string, FileOutcome>;
  readonly repaired: readonly Finding[];
  readonly left: readonly Finding[];
  readonly unreadable: readonly { readonly file: string; readonly why: string }[];
}

/** Repairs all files of a project in memory. */
export function repairAll(project: Project): Repaired {
  const files = [...project.texts.keys()];
  const outcomes = files.map((file): [string, FileOutcome] => [file, repairFile(file, project, () => true)]);
  return summed(new Map(outcomes), project.root);
}

function summed(outcomes: ReadonlyMap<string, FileOutcome>, root: string): Repaired {
  const all = [...outcomes.values()];
  return {
    outcomes,
    repaired: all.flatMap(({ repaired }) => repaired),
    left: all.flatMap(({ left }) => left),
    unreadable: [...outcomes].flatMap(([file, { unreadable }]) =>
      unreadable === undefined ? [] : [{ file: nameOf(file, root), why: unreadable }],
    ),
  };
}

/** Puts mounts first, because other repairs depend on them when the tests decide which repairs stay. */
function mountsFirst(findings: readonly Finding[]): Finding[] {
  const rank = ({ rule }: Finding): number => (/mount|timeout/.test(rule) ? 0 : 1);
  return [...findings].sort((a, b) => rank(a) - rank(b));
}

function inOrder(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column);
}

/** Whether a finding is one of those. */
export function isOneOf(findings: readonly Finding[]): (finding: Finding) => boolean {
  const keys = new Set(findings.map(({ key }) => key));
  return ({ key }) => keys.has(key);
}

function isNotOneOf(findings: readonly Finding[]): (finding: Finding) => boolean {
  const isOne = isOneOf(findings);
  return (finding) => !isOne(finding);
}

function named(outcomes: ReadonlyMap<string, FileOutcome>, root: string): Map<string, FileOutcome> {
  return new Map([...outcomes].map(([file, outcome]) => [nameOf(file, root), outcome]));
}
