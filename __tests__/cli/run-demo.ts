import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
export const MAIN = join(ROOT, 'dist/cli.js');

/** Where the three results of a row begin, and how wide each is. */
const FIRST_COLUMN = 18;
const COLUMN_WIDTH = 21;

const directories: string[] = [];

/** Removes the projects that projectWith() has made. */
export function removeProjects(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
}

/** A project in which this package of the repository is installed as `express`. */
export function projectWith(express: string | undefined): string {
  const directory = mkdtempSync(join(tmpdir(), 'express-hangup-demo-'));
  directories.push(directory);
  mkdirSync(join(directory, 'node_modules'));
  if (express !== undefined)
    symlinkSync(join(ROOT, 'node_modules', express), join(directory, 'node_modules/express'));
  return directory;
}

/** Runs `express-hangup demo` in a directory, to its end. */
export async function demo(cwd: string, ...args: string[]) {
  const child = spawn(process.execPath, [MAIN, 'demo', ...args], { cwd });
  const [out, err] = [child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray());
  const [code] = await once(child, 'close');
  return { code, out: (await out!).join(''), err: (await err!).join('') };
}

/** What stands in the three columns of the row that begins with `about`, each on one line. */
export function rowOf(out: string, about: string): string[] {
  const lines = out.split('\n');
  const first = lines.findIndex((line) => line.startsWith(about));
  const height = lines.slice(first).indexOf('');
  return [0, 1, 2].map((column) => {
    const start = FIRST_COLUMN + column * COLUMN_WIDTH;
    const cell = lines.slice(first, first + height).map((line) => line.slice(start, start + COLUMN_WIDTH));
    return cell.join(' ').replace(/\s+/g, ' ').trim();
  });
}
