// Runs the tests of this folder on the Node that runs this file: node run.mjs [part of a file's name …]
// (node --test takes no patterns on Node 20.)
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const wanted = process.argv.slice(2);
const files = readdirSync(join(import.meta.dirname, 'tests'), { recursive: true })
  .filter((file) => file.endsWith('.test.mjs'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .map((file) => join('tests', file));
if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(', ')}.`);
  process.exit(1);
}
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=2', '--test-timeout=120000', ...files],
  { cwd: import.meta.dirname, stdio: 'inherit' },
);
process.exit(status ?? 1);
