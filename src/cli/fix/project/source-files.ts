import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';

const ENDINGS = /\.([cm]?[jt]s|[jt]sx)$/;
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
 * browsers, or a test, without other repositories (submodules), and with those files only that `isKnown` takes; a file that
 * is named is taken as it is. Links are not followed, and none may lead out of `root`.
 * @throws {Error} where a path does not exist or lies outside of `root`.
 */
export function sourceFiles(
  paths: readonly string[],
  root: string,
  isKnown: (path: string) => boolean = () => true,
): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const full = resolve(root, path);
    const stats = statSync(full, { throwIfNoEntry: false });
    if (stats === undefined) throw new Error(`There is no file or folder "${path}".`);
    if (!isInside(realpathSync(full), root)) throw new Error(`"${path}" lies outside of ${root}.`);
    if (stats.isFile()) found.add(full);
    else for (const file of filesIn(full).filter(isKnown)) found.add(file);
  }
  return [...found].sort();
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return isSkipped(entry.name, path) ? [] : filesIn(path);
    const isSource = entry.isFile() && ENDINGS.test(entry.name);
    return isSource && !NO_SOURCE.test(entry.name) && !TESTS.test(entry.name) ? [path] : [];
  });
}

/** A folder with a `.git` of its own is another repository: what is written there, this one's git can not take back. */
function isSkipped(name: string, path: string): boolean {
  return SKIPPED.has(name) || name.startsWith('.') || existsSync(join(path, '.git'));
}

/** Whether a path lies within a folder. */
export function isInside(path: string, folder: string): boolean {
  const from = relative(realpathSync(folder), path);
  return from === '' || (from !== '..' && !from.startsWith(`..${sep}`) && resolve(from) !== from);
}
