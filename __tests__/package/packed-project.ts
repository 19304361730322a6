import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const root = resolve(__dirname, '../..');

/** A user's project in which the packed tarball is installed. */
export interface PackedProject {
  /** The project's directory. */
  dir: string;
  /** The package inside it, as npm has unpacked it. */
  installed: string;
  /** What `npm pack --json` says of the tarball. */
  tarball: {
    filename: string;
    size: number;
    unpackedSize: number;
    files: { path: string; size: number }[];
  };
}

const KEPT_IN = 'EXPRESS_HANGUP_PACKED_PROJECT';
let project: PackedProject | undefined;

/** The project of this test run; made when first asked for, unless `pack-once.ts` has made it for all test files. */
export function packedProject(): PackedProject {
  const kept = process.env[KEPT_IN];
  if (kept !== undefined) return JSON.parse(kept) as PackedProject;
  if (project === undefined) {
    const made = createPackedProject();
    project = made;
    afterAll(() => removePackedProject(made));
  }
  return project;
}

/** Makes the project for several test files. */
export function keepPackedProject(): void {
  process.env[KEPT_IN] = JSON.stringify(createPackedProject());
}

/** Removes what `keepPackedProject()` made. */
export function dropPackedProject(): void {
  const kept = process.env[KEPT_IN];
  if (kept !== undefined) removePackedProject(JSON.parse(kept) as PackedProject);
}

function removePackedProject({ dir }: PackedProject): void {
  rmSync(dirname(dir), { recursive: true, force: true });
}

function createPackedProject(): PackedProject {
  const work = mkdtempSync(join(tmpdir(), 'express-hangup-packed-'));
  const [packed] = JSON.parse(
    npm(sources(work), 'pack', '--json', '--silent', '--pack-destination', work),
  ) as [PackedProject['tarball']];
  const dir = join(work, 'project');
  mkdirSync(dir);
  writeFileSync(join(dir, 'package.json'), '{ "name": "a-users-project", "private": true }\n');
  npm(dir, 'install', '--offline', '--no-audit', '--no-fund', join(work, packed.filename));
  for (const [name, from] of Object.entries(neighbours)) link(dir, name, from);
  cpSync(join(root, '__tests__/fixtures/projects'), dir, { recursive: true });
  return { dir, installed: join(dir, 'node_modules/express-hangup'), tarball: packed };
}

/** What a user's project holds besides. Linked from here: nothing is downloaded. */
const neighbours = {
  express: 'express',
  express4: 'express4',
  '@types/express': '@types/express',
  '@types/node': '@types/node',
  'http-proxy-middleware': 'http-proxy-middleware',
  jest: 'jest',
  undici: 'undici',
  vitest: 'vitest',
};

function link(dir: string, name: string, from: string): void {
  const path = join(dir, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(root, 'node_modules', from), path, 'dir');
}

/** The sources alone, in a directory of their own: the build starts from nothing and leaves this one untouched. */
function sources(work: string): string {
  const dir = join(work, 'sources');
  mkdirSync(dir);
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
  const shipped = files.filter((file) => file !== 'dist').map((file) => file.replace(/\/.*$/, ''));
  for (const name of [
    ...['package.json', 'tsconfig.json', 'tsconfig.build.json', 'src', 'scripts', '__tests__'],
    ...['README.md', 'LICENSE'],
    ...shipped,
  ]) {
    cpSync(join(root, name), join(dir, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'), 'dir');
  return dir;
}

/** Runs npm in a directory and gives what it printed; throws where npm fails. */
export function npm(cwd: string, ...args: string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs Node in the project and gives what it printed. */
export function runNode(args: string[], cwd = packedProject().dir): string {
  // Jest's own variables would make a test runner inside believe that it is one of its workers.
  const env = { ...process.env, JEST_WORKER_ID: undefined, NODE_ENV: undefined };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`node ${args.join(' ')} ended with ${String(status)}:\n${stdout}\n${stderr}`);
  return stdout;
}
