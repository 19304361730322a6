import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** The repository's folder, or `undefined` outside of one. */
export function repositoryOf(cwd: string): string | undefined {
  const { status, stdout } = run('git', ['rev-parse', '--show-toplevel'], cwd);
  return status === 0 ? stdout.trim() : undefined;
}

/** What `git status` says of changes that are not committed; empty where all is. */
export function uncommitted(cwd: string): string {
  return run('git', ['status', '--porcelain', '--untracked-files=no'], cwd).stdout.trim();
}

/**
 * The files that git has, as full paths; with `others` also those that it could take, which are the files that are not ignored.
 * `undefined` where git does not tell.
 */
export function filesOfRepository(root: string, others: boolean): Set<string> | undefined {
  const more = others ? ['--others', '--exclude-standard'] : [];
  const { status, stdout } = run('git', ['ls-files', '-z', '--cached', ...more], root);
  if (status !== 0) return undefined;
  return new Set(stdout.split('\0').map((name) => join(root, name)));
}

/** Throws an Error where a branch of that name cannot be made. */
export function checkBranch(branch: string, cwd: string): void {
  if (run('git', ['check-ref-format', '--branch', branch], cwd).status !== 0)
    throw new Error(`--branch is "${branch}", which git does not take for the name of a branch.`);
  if (run('git', ['show-ref', '--verify', '--quiet', `refs/heads/${branch}`], cwd).status === 0)
    throw new Error(`The branch ${branch} exists already: give another name, --branch NAME.`);
}

/** Makes a branch and commits the files on it. Throws an Error with git's own words where that fails. */
export function commitOnBranch(branch: string, files: readonly string[], message: string, cwd: string): void {
  git(['switch', '--create', branch], cwd);
  git(['add', '--', ...files], cwd);
  git(['commit', '--quiet', '--message', message], cwd);
}

function git(args: readonly string[], cwd: string): void {
  const { status, stderr, stdout } = run('git', args, cwd);
  if (status !== 0) throw new Error(`git ${args[0] ?? ''} failed: ${(stderr || stdout).trim()}`);
}

/** `git ls-files` of a large repository says a lot. */
const OUTPUT_BYTES = 256 * 1024 * 1024;

/** Runs a program to its end; `status` is `null` where it could not be started. */
export function run(
  program: string,
  args: readonly string[],
  cwd: string,
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(program, [...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES,
  });
  return error ? { status: null, stdout: '', stderr: error.message } : { status, stdout, stderr };
}

/** Runs a line of the shell; resolves to whether it ended with 0, and with what it has printed. */
export function shell(line: string, cwd: string): Promise<{ passed: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(line, { cwd, shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (piece: Buffer): void => {
      output = (output + piece.toString()).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ passed: false, output: error.message }));
    child.on('close', (code) => resolve({ passed: code === 0, output }));
  });
}
