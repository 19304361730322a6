// What docs/deploys.md says of PM2, with the real one.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'express-hangup-pm2-'));
const env = { ...process.env, PM2_HOME: join(directory, 'pm2') };
let port;

/** Runs `pm2 …`; gives its exit code. */
function pm2(...args) {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'node_modules/pm2/bin/pm2'), ...args],
      { cwd: directory, env },
      (error) => resolve(error === null ? 0 : error.code),
    );
  });
}

const SERVER = `
import express from ${JSON.stringify(import.meta.resolve('express'))};
import { drainable, hangup } from ${JSON.stringify(import.meta.resolve('express-hangup'))};
const app = express();
app.use(hangup());
app.all('/', (req, res) => setTimeout(() => res.send(VERSION), 5));
app.get('/slow', (req, res) => setTimeout(() => res.send(VERSION), 2500));
const server = app.listen(PORT, '127.0.0.1', () => READY);
drainable(server, { signals: ['SIGTERM', 'SIGINT'] });
`;

/** Writes the server in one version, ready at once, or never, or gone where it is not. */
function write(version, ready = 'process.send("ready")', start = '') {
  const text = SERVER.replaceAll('VERSION', JSON.stringify(version))
    .replace('PORT', port)
    .replace('READY', ready);
  writeFileSync(join(directory, 'server.mjs'), `${start}\n${text}`);
}

function ask(path, agent, method = 'GET') {
  return new Promise((resolve) => {
    const req = http.request({ host: '127.0.0.1', port, path, agent, method }, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (chunk) => (body += chunk));
      res.on('end', () => resolve(`${res.statusCode} ${body}`));
      res.on('error', (error) => resolve(error.code));
    });
    req.on('error', (error) => resolve(error.code));
    req.end();
  });
}

before(async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address());
  await new Promise((resolve) => server.close(resolve));
  const app = { name: 'app', script: 'server.mjs', exec_mode: 'cluster', instances: 2, kill_timeout: 30_000 };
  const config = {
    apps: [{ ...app, wait_ready: true, listen_timeout: 4000, autorestart: true, max_restarts: 2 }],
  };
  writeFileSync(join(directory, 'ecosystem.config.cjs'), `module.exports = ${JSON.stringify(config)}`);
  write('one');
  assert.equal(await pm2('start', 'ecosystem.config.cjs'), 0);
});

after(async () => {
  await pm2('kill');
  rmSync(directory, { recursive: true, force: true });
});

test('pm2 reload loses no request, not even one that takes longer than its own kill_timeout of 1.6 s', async () => {
  write('two');
  const seen = new Set();
  let isOver = false;
  const agent = new http.Agent({ keepAlive: true });
  const client = async (method) => {
    while (!isOver) {
      seen.add(await ask('/', agent, method));
      await pause(5);
    }
  };
  const clients = [client('GET'), client('GET'), client('POST')];
  const slow = ask('/slow', agent);
  await pause(300);
  assert.equal(await pm2('reload', 'app'), 0);
  isOver = true;
  await Promise.all(clients);
  assert.equal(await slow, '200 one');
  assert.deepEqual([...seen].sort(), ['200 one', '200 two']);
  agent.destroy();
});

/** Asks until the app answers so, for ten seconds. */
async function answers(expected) {
  for (let tries = 0; tries < 100 && (await ask('/')) !== expected; tries += 1) await pause(100);
  return ask('/');
}

test('pm2 reload of a version that never gets ready replaces the good instances all the same, and exits 0', async () => {
  write('never ready', 'undefined');
  assert.equal(await pm2('reload', 'app'), 0);
  assert.equal(await answers('200 never ready'), '200 never ready');
});
