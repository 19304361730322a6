import { execFile } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { upToDateDist } from '../fixtures/up-to-date-dist';

// The documented examples, run by the runners for which they are meant, against a build in a project of its own: there they
// find the package by its name, as a user's tests do.
const ROOT = join(__dirname, '../..');
const PROJECT = join(ROOT, '.cache', `examples-${process.pid}`);
const PACKAGE = join(PROJECT, 'node_modules/express-hangup');

beforeAll(async () => {
  await mkdir(PACKAGE, { recursive: true });
  await cp(join(__dirname, 'examples'), PROJECT, { recursive: true });
  await cp(join(ROOT, 'package.json'), join(PACKAGE, 'package.json'));
  await writeFile(join(PROJECT, 'vitest.config.mjs'), VITEST);
  await upToDateDist();
  await cp(join(ROOT, 'dist'), join(PACKAGE, 'dist'), { recursive: true });
});

afterAll(() => rm(PROJECT, { recursive: true, force: true }));

// Vitest leaves out what lies in a directory with this name, unless it is told not to.
const VITEST = `export default { test: { include: ['vitest.example.mjs'], exclude: [] } };\n`;
const JEST = JSON.stringify({ rootDir: PROJECT, testMatch: ['**/*.example.cjs'], transform: {} });

const bin = (name: string): string => join(ROOT, 'node_modules', name);

describe('the examples of docs/testing.md', () => {
  it.each([
    ['Jest and supertest', [bin('jest/bin/jest.js'), '--config', JEST]],
    ['Vitest', [bin('vitest/vitest.mjs'), 'run', '--root', PROJECT]],
    ['node:test', ['--test', join(PROJECT, 'node-test.example.mjs')]],
  ])('pass with %s', async (_name, args) => {
    const env = { ...process.env, NODE_ENV: 'test', JEST_WORKER_ID: undefined, NODE_OPTIONS: '' };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: PROJECT, env });
    expect(`${stdout}${stderr}`).toMatch(/4 passed, 4 total|2 passed|# pass 1|ℹ pass 1/);
  });
});
