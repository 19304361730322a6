import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';

const ENDINGS = /\.([cm]?js|[cm]?ts)$/;
const NO_SOURCE =
  /\.(min|bundle)\.|\.d\.[cm]?ts$|(^|[\\/])(jest|vite|webpack|rollup|eslint|babel|karma)\.config\./;
const TESTS = /\.(test|spec|e2e|e2e-spec|cy)\.[cm]?[jt]s$/;
const SKIPPED = new Set([
  'node_modules',
  'bower_components',
  'dist',
  'build',
  'out',
  'coverage',
  'vendor',
  'public',
  'static',
  '__tests__',
  '__mocks__',
  'test',
  'tests',
  'cypress',
  'e2e',
  'migrations',
]);

/**
 * The source files under the given paths, in order. A folder is searched without what is installed, built, served to
 * browsers, or a test; a file that is named is taken as it is. Links that lead out of `root` are not followed.
 * @throws {Error} where a path does not exist or lies outside of `root`.
 */
export function sourceFiles(paths: readonly string[], root: string): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const full = resolve(root, path);
    const stats = statSync(full, { throwIfNoEntry: false });
    if (stats === undefined) throw new Error(`There is no file or folder "${path}".`);
    if (!isInside(realpathSync(full), root)) throw new Error(`"${path}" lies outside of ${root}.`);
    if (stats.isFile()) found.add(full);
    else for (const file of filesIn(full)) found.add(file);
  }
  return [...found].sort();
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return SKIPPED.has(entry.name) || entry.name.startsWith('.') ? [] : filesIn(path);
    const isSource = entry.isFile() && ENDINGS.test(entry.name);
    return isSource && !NO_SOURCE.test(entry.name) && !TESTS.test(entry.name) ? [path] : [];
  });
}

/** Whether a path lies within a folder. */
export function isInside(path: string, folder: string): boolean {
  const from = relative(realpathSync(folder), path);
  return from === '' || (from !== '..' && !from.startsWith(`..${sep}`) && resolve(from) !== from);
}
