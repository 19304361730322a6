// What docs/diagnose.md says of PM2, with the real one: all workers on one page, without a word of configuration.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'hangup-pm2-'));
const home = join(directory, 'home');
const env = { ...process.env, PM2_HOME: home };

/** Runs `pm2 …`; gives what it has written. */
function pm2(...args) {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(root, 'node_modules/pm2/bin/pm2'), ...args],
      { cwd: directory, env },
      (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
    );
  });
}

// Each worker listens on a port of its own, which it tells by a file: a test must know whom it asks.
const SERVER = `
import { writeFileSync } from 'node:fs';
process.on('SIGINT', () => process.exit(0));
import express from ${JSON.stringify(import.meta.resolve('express'))};
import { hangup } from ${JSON.stringify(import.meta.resolve('express-hangup'))};
import { diagnose } from ${JSON.stringify(import.meta.resolve('express-hangup/diagnose'))};
const app = express();
app.use(hangup());
app.use('/_hangup', diagnose().page);
app.get('/users/:id', (req, res) => res.send(String(process.pid)));
const server = app.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => {
  const { name, NODE_APP_INSTANCE } = process.env;
  writeFileSync(\`ready-\${name}-\${NODE_APP_INSTANCE}-\${process.pid}\`, String(server.address().port));
  process.send('ready');
});
`;

function get(port, path) {
  return new Promise((resolve, reject) => {
    http
      .get(
        { host: '127.0.0.1', port, path, agent: new http.Agent({ keepAlive: true, maxFreeSockets: 0 }) },
        (res) => {
          let body = '';
          res.setEncoding('utf8').on('data', (chunk) => (body += chunk));
          res.on('end', () => resolve(body));
        },
      )
      .on('error', reject);
  });
}

/** The workers of an app: pid and number of each, and the port on which it listens. */
async function workersOf(name) {
  const list = JSON.parse((await pm2('jlist')).replace(/^[^[]*/, ''));
  const workers = list.filter((app) => app.name === name && app.pm2_env.status === 'online');
  return workers.map(({ pid, pm2_env: { NODE_APP_INSTANCE: number } }) => ({ pid, number }));
}

async function portOf(name, { pid, number }) {
  return Number(await readFile(join(directory, `ready-${name}-${number}-${pid}`), 'utf8'));
}

async function reportFrom(name, worker) {
  return JSON.parse(await get(await portOf(name, worker), '/_hangup'));
}

const pidsOf = (list) => list.map(({ pid }) => pid).sort();

before(async () => {
  const app = { script: 'server.mjs', instances: 2, wait_ready: true, listen_timeout: 20_000 };
  const apps = [
    { ...app, name: 'clustered', exec_mode: 'cluster' },
    { ...app, name: 'forked', exec_mode: 'fork' },
    { ...app, name: 'loose', exec_mode: 'fork' },
  ];
  writeFileSync(join(directory, 'server.mjs'), SERVER);
  writeFileSync(join(directory, 'ecosystem.config.cjs'), `module.exports = ${JSON.stringify({ apps })}`);
  await pm2('start', 'ecosystem.config.cjs', '--only', 'clustered,forked');
});

after(async () => {
  await pm2('kill');
  rmSync(directory, { recursive: true, force: true });
});

for (const name of ['clustered', 'forked']) {
  test(`each worker of a ${name} app shows both, and what both have served`, async () => {
    const workers = await workersOf(name);
    assert.equal(workers.length, 2);
    for (const worker of workers) await get(await portOf(name, worker), '/users/7');
    for (const worker of workers) {
      const report = await reportFrom(name, worker);
      assert.deepEqual(pidsOf(report.processes), pidsOf(workers));
      assert.deepEqual(
        report.processes.map(({ worker: number }) => number),
        [0, 1],
      );
      const route = report.routes.find(({ route: pattern }) => pattern === '/users/:id');
      assert.equal(route?.requests, 2);
    }
  });
}

test('only the user of the process can enter the folder in which workers find each other', () => {
  const folders = readdirSync(home).filter((entry) => entry.startsWith('hangup-'));
  assert.equal(folders.length, 2);
  for (const folder of folders) assert.equal(statSync(join(home, folder)).mode & 0o777, 0o700);
});

test('a worker that was killed is gone from the page, and its successor is there', async () => {
  const [killed, stays] = await workersOf('clustered');
  process.kill(killed.pid, 'SIGKILL');
  let workers;
  do {
    await pause(100);
    workers = await workersOf('clustered');
  } while (workers.length < 2 || workers.some(({ pid }) => pid === killed.pid));
  const successor = workers.find(({ pid }) => pid !== stays.pid);
  while ((await portOf('clustered', successor).catch(() => 0)) === 0) await pause(50);
  assert.deepEqual(pidsOf((await reportFrom('clustered', stays)).processes), pidsOf(workers));
  const left = readdirSync(home, { recursive: true }).filter((path) => path.endsWith(`${killed.pid}.sock`));
  assert.deepEqual(left, []);
});

test('a folder that others may enter is not used, and each worker shows itself', async () => {
  const before = new Set(readdirSync(home));
  await pm2('start', 'ecosystem.config.cjs', '--only', 'loose');
  const [folder] = readdirSync(home).filter((entry) => entry.startsWith('hangup-') && !before.has(entry));
  await pm2('delete', 'loose');
  assert.deepEqual(readdirSync(join(home, folder)), [], 'what has ended in order leaves nothing behind');
  chmodSync(join(home, folder), 0o777);
  await pm2('start', 'ecosystem.config.cjs', '--only', 'loose');
  const workers = await workersOf('loose');
  for (const worker of workers)
    assert.deepEqual(pidsOf((await reportFrom('loose', worker)).processes), [worker.pid]);
});
