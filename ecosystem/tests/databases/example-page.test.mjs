// The database part of the example app, with the PostgreSQL that this folder has as a package.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { missingPostgres } from './servers/postgres.mjs';

const START = fileURLToPath(new URL('../../../example-app/start.mjs', import.meta.url));

describe('the example app, five of whose clients leave a slow report', { skip: missingPostgres() }, () => {
  let example;
  let url;
  before(async () => {
    example = spawn(process.execPath, [START], { env: { ...process.env, PORT: '0' }, detached: true });
    let output = '';
    example.stderr.pipe(process.stderr);
    for await (const text of example.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      output += text;
      if (output.includes('Ctrl-C')) break;
    }
    example.stdout.resume();
    url = /the page +(http:\S+)\//.exec(output)[1];
  });
  after(async () => {
    if (example.exitCode === null) process.kill(-example.pid, 'SIGKILL');
  });
  const lab = async () => (await fetch(`${url}/lab/database`)).json();

  it('starts PostgreSQL by itself, and shows five queries that run for nobody, and none with abortable()', async () => {
    assert.deepEqual(await lab(), { reports: [] });
    const pressed = fetch(`${url}/lab/database/five-leave`, { method: 'POST' });
    let seen = await lab();
    // The report takes four seconds, of which the plain pool's part goes on without its clients.
    while (!(seen.leftMs > 1000)) seen = await lab();
    const pools = seen.reports.map(({ pool }) => pool);
    assert.deepEqual(pools, ['plain', 'plain', 'plain', 'plain', 'plain']);
    assert.equal((await fetch(`${url}/lab/database/five-leave`, { method: 'POST' })).status, 409);
    const { clients, endedMs } = await (await pressed).json();
    assert.equal(clients, 5);
    assert.ok(endedMs.abortable < 1000, `${endedMs.abortable} ms`);
    assert.ok(endedMs.plain > 2000, `${endedMs.plain} ms`);
    assert.deepEqual(await lab(), { reports: [] });
  });

  it('ends its PostgreSQL with itself', async () => {
    process.kill(example.pid, 'SIGTERM');
    const [code] = await once(example, 'exit');
    assert.equal(code, 0);
    // Throws when no process of the group is left.
    for (let isRunning = true; isRunning;) {
      try {
        process.kill(-example.pid, 0);
      } catch (error) {
        assert.equal(error.code, 'ESRCH');
        isRunning = false;
      }
    }
  });
});
