// OpenTelemetry's recipe of docs/logs.md, as it stands there, with the real SDK and its instrumentation of node:http.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import express from 'express';
import { hangup } from 'express-hangup';
import { diagnose } from 'express-hangup/diagnose';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
let folder;
let diagnosis;
let upstream;
let server;

before(async () => {
  provider.register();
  registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });
  // What is required from now on is instrumented: its prototypes, so whoever has imported it before too.
  createRequire(import.meta.url)('node:http');
  folder = await mkdtemp(join(import.meta.dirname, '.recipes-'));
  const page = await readFile(new URL('../../../docs/logs.md', import.meta.url), 'utf8');
  const code = [...page.matchAll(/^```js\n(.*?)^```$/gms)]
    .map(([, block]) => block)
    .find((block) => block.includes('keepSpan'));
  await writeFile(join(folder, 'recipe.mjs'), code);
  const { keepSpan, faultsToSpans } = await import(pathToFileURL(join(folder, 'recipe.mjs')));
  diagnosis = diagnose();
  upstream = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.resetAndDestroy());
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  server = appOf(keepSpan, faultsToSpans()).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

after(async () => {
  diagnosis.stop();
  server.close();
  server.closeAllConnections();
  upstream.close();
  await provider.shutdown();
  await rm(folder, { recursive: true, force: true });
});

function appOf(first, last) {
  const app = express();
  app.use(first);
  app.use(hangup({ deadline: 300 }));
  app.get('/fine', (_req, res) => void res.send('ok'));
  app.get('/deaf/:id', () => undefined);
  app.get('/reset', async () => fetch(`http://127.0.0.1:${upstream.address().port}/`));
  app.get('/broken', (_req, res, next) => {
    res.write('begun');
    fetch(`http://127.0.0.1:${upstream.address().port}/`).catch(next);
  });
  app.use(last);
  return app;
}

/** Sends a request by a bare socket, which makes no span of its own, and waits for its end. */
async function ask(path, { leaves = false } = {}) {
  const socket = net.connect(server.address().port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n`);
  if (leaves) {
    await once(server, 'request');
    socket.destroy();
  }
  await once(socket, 'close');
}

/** The server's span of a path. */
async function spanOf(path) {
  const find = () =>
    exporter
      .getFinishedSpans()
      .find((span) => span.kind === SpanKind.SERVER && span.attributes['url.path'] === path);
  while (!find()) await new Promise(setImmediate);
  const { attributes, status } = find();
  return {
    answered: attributes['http.response.status_code'],
    type: attributes['error.type'],
    code: attributes['express_hangup.code'],
    status: status.code,
  };
}

const { ERROR, UNSET } = SpanStatusCode;

test('each of two requests that are answered 504 together has the fault on its own span', async () => {
  await Promise.all([ask('/deaf/1'), ask('/deaf/2')]);
  for (const path of ['/deaf/1', '/deaf/2'])
    assert.deepEqual(await spanOf(path), {
      answered: 504,
      type: '504',
      code: 'DEADLINE_EXCEEDED',
      status: ERROR,
    });
});

test('a 502 is an error, with what diagnose() knows of it', async () => {
  await ask('/reset');
  assert.deepEqual(await spanOf('/reset'), {
    answered: 502,
    type: '502',
    code: 'UPSTREAM_RESET',
    status: ERROR,
  });
  const { attributes } = exporter.getFinishedSpans().find((span) => span.attributes['url.path'] === '/reset');
  assert.equal(attributes['express_hangup.upstream'], `http://127.0.0.1:${upstream.address().port}`);
  assert.equal(attributes['express_hangup.verdict'], 'UW1');
  assert.match(attributes['express_hangup.where'], /spans\.test\.mjs:\d+:\d+$/);
});

test('a response that is broken keeps the status that the client has seen, and is an error', async () => {
  await ask('/broken');
  assert.deepEqual(await spanOf('/broken'), {
    answered: 200,
    type: 'UPSTREAM_RESET',
    code: 'UPSTREAM_RESET',
    status: ERROR,
  });
});

test('a client that has left is no error of the server', async () => {
  await ask('/deaf/3', { leaves: true });
  assert.deepEqual(await spanOf('/deaf/3'), {
    answered: 499,
    type: undefined,
    code: undefined,
    status: UNSET,
  });
});

test('what goes well has nothing of this on its span', async () => {
  await ask('/fine');
  assert.deepEqual(await spanOf('/fine'), { answered: 200, type: undefined, code: undefined, status: UNSET });
});
