// What `npx express-hangup fix` says of an app as it is often found. It writes nothing.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PACKAGE = dirname(createRequire(import.meta.url).resolve('express-hangup/package.json'));
const EXAMPLE = fileURLToPath(new URL('..', import.meta.url));

/** Gives the diff as lines, and the last line that the command prints: how many repairs there are. */
export async function repair() {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(PACKAGE, 'dist/cli.js'), 'fix', 'repair'],
    { cwd: EXAMPLE },
  );
  const [diff] = stdout.split('\nWould be repaired');
  return { diff: diff.split('\n'), summary: /^\d+ repairs? in .*$/m.exec(stdout)[0] };
}
