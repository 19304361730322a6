// The recipes of docs/logs.md for pino, winston and morgan, as they stand there, with the real ones.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import axios from 'axios';
import express from 'express';
import { hangup } from 'express-hangup';
import { diagnose } from 'express-hangup/diagnose';
import pino from 'pino';
import winston from 'winston';
import Transport from 'winston-transport';

let folder;
let recipes;
let diagnosis;
let upstream;
let server;

before(async () => {
  folder = await mkdtemp(join(import.meta.dirname, '.recipes-'));
  const page = await readFile(new URL('../../../docs/logs.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
  recipes = {};
  for (const [at, code] of blocks.entries()) {
    const file = join(folder, `recipe-${at}.mjs`);
    await writeFile(file, code);
    Object.assign(recipes, await import(pathToFileURL(file)));
  }
});
after(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  diagnosis = diagnose();
  upstream = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.resetAndDestroy());
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
});
afterEach(async () => {
  diagnosis.stop();
  server.close();
  server.closeAllConnections();
  upstream.close();
});

const upstreamOrigin = () => `http://127.0.0.1:${upstream.address().port}`;

/** An app with a route whose call fails, one that answers, and one that waits; gives a function that asks it. */
async function serve(errorHandler, ...middleware) {
  const app = express();
  for (const one of middleware) app.use(one);
  app.use(hangup());
  app.get('/ok', (_req, res) => void res.send('ok'));
  app.get('/users/:id', async () => {
    await axios.post(`${upstreamOrigin()}/?key=secret`, 'secret', {
      headers: { Authorization: 'Bearer secret' },
    });
  });
  app.get('/slow', (req, _res, next) => req.signal.addEventListener('abort', () => next(req.signal.reason)));
  app.use(errorHandler);
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (path) =>
    fetch(`http://127.0.0.1:${server.address().port}${path}`).then(async (res) => ({
      status: res.status,
      text: await res.text(),
    }));
}

/** Asks for /slow, and leaves when the app is at work. */
async function leave(isLogged) {
  const req = http.get({ port: server.address().port, host: '127.0.0.1', path: '/slow' });
  req.on('error', () => undefined);
  await once(server, 'request');
  req.destroy();
  while (!isLogged()) await new Promise(setImmediate);
}

const EXPECTED = () => ({
  code: 'UPSTREAM_RESET',
  status: 502,
  method: 'GET',
  route: '/users/:id',
  upstream: upstreamOrigin(),
  verdict: 'UW1',
  phase: 'waiting',
  trigger: 'rst',
});

function assertLine(line) {
  for (const [name, value] of Object.entries(EXPECTED())) assert.equal(line[name], value, name);
  if (!process.version.startsWith('v20.')) assert.match(line.where, /logs\.test\.mjs:\d+:\d+$/);
  assert.doesNotMatch(JSON.stringify(line), /secret/);
}

test('pino writes one line for a fault, and a departure on a lower level', async () => {
  const lines = [];
  const log = pino(
    new Writable({
      write: (chunk, _encoding, done) => {
        lines.push(JSON.parse(chunk));
        done();
      },
    }),
  );
  const ask = await serve(recipes.faultsToPino(log));
  assert.equal((await ask('/users/secret')).status, 502);
  assert.equal(lines.length, 1);
  assert.equal(lines[0].level, 40);
  assert.equal(lines[0].msg, `502 UPSTREAM_RESET by ${upstreamOrigin()}`);
  assertLine(lines[0]);
  await leave(() => lines.length === 2);
  assert.deepEqual([lines[1].level, lines[1].code, lines[1].status], [30, 'CLIENT_CLOSED_REQUEST', 499]);
});

test('winston writes one line for a fault, and a departure on a lower level', async () => {
  const lines = [];
  class Kept extends Transport {
    log(info, done) {
      lines.push({ ...info });
      done();
    }
  }
  const log = winston.createLogger({ transports: [new Kept()] });
  const ask = await serve(recipes.faultsToWinston(log));
  await ask('/users/secret');
  assert.equal(lines.length, 1);
  assert.equal(lines[0].level, 'warn');
  assertLine(lines[0]);
  await leave(() => lines.length === 2);
  assert.deepEqual([lines[1].level, lines[1].code], ['info', 'CLIENT_CLOSED_REQUEST']);
});

test('morgan says why a request ended as it did, and nothing of one that went well', async () => {
  const lines = [];
  const stream = { write: (line) => lines.push(line) };
  const ask = await serve(recipes.faultsToMorgan(), recipes.accessLog({ stream }));
  await ask('/users/secret');
  await ask('/ok');
  assert.match(lines[0], /^GET 502 [\d.]+ ms fault=UPSTREAM_RESET verdict=UW1\n$/);
  assert.match(lines[1], /^GET 200 [\d.]+ ms fault=- verdict=-\n$/);
});
