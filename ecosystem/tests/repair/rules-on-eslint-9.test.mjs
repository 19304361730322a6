// The cases of the rules, which the package's own tests run on ESLint 10.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));
const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined };

test("The rules' own cases hold on ESLint 9 too", () => {
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const { status, stderr } = spawnSync(
    process.execPath,
    [jest, '--rootDir', root, '__tests__/eslint', '-w', '1'],
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...env, ESLINT_TO_TEST: join(modules, 'eslint9') },
    },
  );
  assert.equal(status, 0, stderr);
});
