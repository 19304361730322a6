import { exec, execFile, execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { fixCommand } from '../../src/cli/fix/fix-command';

const root = resolve(__dirname, '../..');

/** What stands under another name in this repository. */
const ALIASES: Record<string, Record<number, string>> = {
  express: { 4: 'express4', 5: 'express' },
  got: { 14: 'got14' },
  'node-fetch': { 2: 'node-fetch2' },
};

/** What a run of `fix` printed, and how it ended. */
export interface FixRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A project in a folder of its own, under git, with its packages. */
export interface Project {
  readonly folder: string;
  read: (file: string) => string;
  write: (file: string, text: string) => void;
  git: (...args: string[]) => string;
  /** Commits whatever is there. */
  commit: () => void;
  fix: (...args: string[]) => Promise<FixRun>;
  remove: () => void;
}

/** Makes a project of files. */
export function project(files: Record<string, string>): Project {
  const folder = mkdtempSync(join(tmpdir(), 'express-hangup-fix-'));
  const made = handle(folder);
  for (const [file, text] of Object.entries(files)) made.write(file, text);
  begin(made);
  return made;
}

/** Makes a project of one of the apps, with the packages that its package.json asks for. */
export function appProject(name: string): Project {
  const folder = mkdtempSync(join(tmpdir(), 'express-hangup-app-'));
  cpSync(join(__dirname, 'apps', name), folder, { recursive: true });
  const made = handle(folder);
  const { dependencies } = JSON.parse(made.read('package.json')) as { dependencies: Record<string, string> };
  for (const [dependency, range] of Object.entries(dependencies)) {
    const major = Number(/\d+/.exec(range)?.[0]);
    link(folder, dependency, join(root, 'node_modules', ALIASES[dependency]?.[major] ?? dependency));
  }
  link(folder, 'express-hangup', builtPackage());
  begin(made);
  return made;
}

function handle(folder: string): Project {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
  return {
    folder,
    git,
    read: (file) => readFileSync(join(folder, file), 'utf8'),
    write: (file, text) => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    },
    commit: () => {
      git('add', '--all');
      git('commit', '--quiet', '--message', 'Work');
    },
    fix: async (...args) => {
      const told = { out: '', err: '' };
      const terminal = {
        out: (text: string) => (told.out += text),
        err: (text: string) => (told.err += text),
      };
      const code = await fixCommand(args, terminal, folder);
      return { code, ...told };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function begin(made: Project): void {
  made.git('init', '--quiet', '--initial-branch', 'main');
  made.git('config', 'user.name', 'A Developer');
  made.git('config', 'user.email', 'dev@example.com');
  made.git('config', 'core.autocrlf', 'false');
  made.write('.gitignore', 'node_modules\n');
  made.commit();
}

function link(folder: string, name: string, to: string): void {
  const place = join(folder, 'node_modules', name);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(to, place, 'dir');
}

let built: string | undefined;

/** The package as users install it, built once; what it may use beside itself is found through `node_modules`. */
function builtPackage(): string {
  if (built !== undefined) return built;
  built = buildPackage();
  symlinkSync(join(root, 'node_modules'), join(built, 'node_modules'), 'dir');
  return built;
}

/** Builds the package into a folder of its own, beside which no other package is found. */
export function buildPackage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'express-hangup-built-'));
  const src = join(root, 'src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).map((path) => join(src, path));
  const isSource = (path: string): boolean => path.endsWith('.ts') && !path.includes('browser');
  buildSync({
    entryPoints: files.filter(isSource),
    outbase: src,
    outdir: join(folder, 'dist'),
    format: 'cjs',
    target: 'node20',
    platform: 'node',
  });
  // One file for each module, where the real package has a few: quick to make, and the same to an app.
  const exports = { '.': './dist/index.js', './*': './dist/*/index.js' };
  const manifest = { name: 'express-hangup', version: '0.0.0', type: 'commonjs', exports };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  return folder;
}

/** Takes away what was built. */
export function removeBuilt(): void {
  if (built !== undefined) rmSync(built, { recursive: true, force: true });
  built = undefined;
}

function entryOf(folder: string): string {
  return ['app.js', 'app.mjs', 'app.ts'].find((entry) => existsSync(join(folder, entry))) ?? 'app.js';
}

/** How Node is to be started for an app: TypeScript is translated as it is loaded. */
function nodeArguments(folder: string): string[] {
  return entryOf(folder).endsWith('.ts')
    ? ['--require', join(root, 'node_modules/esbuild-register/register.js')]
    : [];
}

/** The command that runs an app's own tests. */
export function testCommand({ folder }: Project): string {
  return [process.execPath, ...nodeArguments(folder), '--test', 'app.test.mjs']
    .map((each) => JSON.stringify(each))
    .join(' ');
}

/** Runs an app's own tests; gives what they printed where they fail. */
export async function ownTests(made: Project): Promise<string> {
  try {
    await promisify(exec)(testCommand(made), { cwd: made.folder, env: bareEnvironment() });
    return 'passed';
  } catch (error) {
    return (error as { stdout?: string }).stdout ?? String(error);
  }
}

/** Without what would tell the app's Node that it runs within a test of ours. */
function bareEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined };
}

/** The verdicts of the fault matrix over an app. */
export interface Verdicts {
  readonly right: number;
  readonly wrong: number;
  readonly unseen: number;
  readonly table: string;
}

/** The part of the fault matrix that is played; all of it where nothing is said. */
export interface Matrix {
  readonly faults?: readonly string[];
  readonly clients?: readonly string[];
}

/** Plays the fault matrix against an app. */
export async function judge({ folder }: Project, deadline: number, matrix: Matrix): Promise<Verdicts> {
  const told = [folder, entryOf(folder), String(deadline), JSON.stringify(matrix)];
  const args = [...nodeArguments(folder), join(__dirname, 'judge.mjs'), ...told];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: folder,
    env: bareEnvironment(),
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(stdout.slice(stdout.indexOf('{"right"'))) as Verdicts;
}
