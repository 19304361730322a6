import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const ROOT = path.resolve(__dirname, '../..');
const SOURCE = path.join(ROOT, 'src');
const BUILT = path.join(ROOT, 'dist/index.js');
const CACHE = path.join(ROOT, '.cache');
/** Test files run side by side: one of them builds, the others wait. */
const LOCK = path.join(CACHE, 'dist-is-being-built');

/** Builds `dist` if a source is newer than it: the example imports the package by its name, as its users do. */
export async function upToDateDist(): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  while (!isUpToDate()) {
    if (!takeLock()) {
      await pause(50);
      continue;
    }
    try {
      // Types are checked by `npm run typecheck`.
      const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
      await promisify(execFile)(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--noCheck'], {
        cwd: ROOT,
      });
      await promisify(execFile)(process.execPath, ['scripts/copy-page.mjs'], { cwd: ROOT });
    } finally {
      rmSync(LOCK, { recursive: true });
    }
  }
}

function isUpToDate(): boolean {
  const builtAt = modifiedAt(BUILT);
  const sources = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' });
  const isLocked = modifiedAt(LOCK) > Date.now() - 60_000;
  return !isLocked && sources.every((name) => modifiedAt(path.join(SOURCE, name)) <= builtAt);
}

function takeLock(): boolean {
  // Left behind by a run that was killed.
  if (modifiedAt(LOCK) < Date.now() - 60_000) rmSync(LOCK, { recursive: true, force: true });
  try {
    mkdirSync(LOCK);
    return true;
  } catch {
    return false;
  }
}

function modifiedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
