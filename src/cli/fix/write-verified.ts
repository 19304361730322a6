import { writeFileSync } from 'node:fs';
import { whenInterrupted } from '../interruptions';
import { shell } from './git';
import { repairFile, type Project } from './project/project';
import type { FileOutcome, Finding } from './repair-file';
import { TestsFail } from './tests-fail';
import { bisect } from './verify';

type Outcomes = ReadonlyMap<string, FileOutcome>;

/** What was written, and what the tests did not take. */
export interface Verified {
  readonly outcomes: Outcomes;
  readonly takenBack: readonly Finding[];
  readonly notes: readonly string[];
}

/**
 * Writes the repairs; with a command, only those with which it succeeds. If this throws, or if the process is interrupted, the
 * files are as they were before.
 * @throws {TestsFail} where the command fails before anything is repaired.
 */
export async function writeVerified(
  found: readonly Finding[],
  planned: Outcomes,
  project: Project,
  command: string | undefined,
  cwd: string,
  tell: (text: string) => void,
): Promise<Verified> {
  const disk = new Disk(project, { findings: found, outcomes: planned });
  const stopListening = whenInterrupted((exitCode) => {
    disk.restore();
    process.exit(exitCode);
  });
  try {
    if (command === undefined || found.length === 0) {
      const outcomes = disk.apply(found);
      return { outcomes, takenBack: [], notes: [] };
    }
    return await verified(found, disk, command, cwd, tell);
  } catch (error) {
    disk.restore();
    throw error;
  } finally {
    stopListening();
  }
}

async function verified(
  found: readonly Finding[],
  disk: Disk,
  command: string,
  cwd: string,
  tell: (text: string) => void,
): Promise<Verified> {
  tell(`Before: ${command}\n`);
  const before = await shell(command, cwd);
  if (!before.passed)
    throw new TestsFail(
      `"${command}" fails before anything is repaired, so it can verify nothing:\n${before.output}`,
    );
  const passes = async (applied: readonly Finding[]): Promise<boolean> => {
    disk.apply(applied);
    tell(`With ${applied.length} repairs: ${command}\n`);
    return (await shell(command, cwd)).passed;
  };
  const { kept, takenBack, runs } = await bisect(found, passes);
  const outcomes = disk.apply(kept);
  const notes = [`"${command}" ended well before and after (${runs + 1} runs).`];
  return { outcomes, takenBack, notes };
}

/** The project's files on disk, of which only those are written that differ. */
class Disk {
  readonly #project: Project;
  readonly #current: Map<string, string>;
  readonly #planned: { readonly findings: readonly Finding[]; readonly outcomes: Outcomes };

  constructor(project: Project, planned: { findings: readonly Finding[]; outcomes: Outcomes }) {
    this.#project = project;
    this.#planned = planned;
    this.#current = new Map(project.texts);
  }

  /** Makes the files what they are with these repairs and no others. */
  apply(findings: readonly Finding[]): Outcomes {
    const outcomes = this.#outcomesWith(findings);
    for (const [file, { after }] of outcomes) this.#write(file, after);
    return outcomes;
  }

  #outcomesWith(findings: readonly Finding[]): Outcomes {
    const { findings: all, outcomes: planned } = this.#planned;
    if (findings.length === all.length) return planned;
    const keys = new Set(findings.map(({ key }) => key));
    const outcomes = [...planned].map(([file, outcome]): [string, FileOutcome] => {
      const isSame = outcome.repaired.every(({ key }) => keys.has(key));
      return [file, isSame ? outcome : repairFile(file, this.#project, ({ key }) => keys.has(key))];
    });
    return new Map(outcomes);
  }

  restore(): void {
    for (const [file, text] of this.#project.texts) this.#write(file, text);
  }

  #write(file: string, text: string): void {
    if (this.#current.get(file) === text) return;
    writeFileSync(file, text);
    this.#current.set(file, text);
  }
}
