// "Sentry" of docs/works-with.md: the real one sends to a server of this test, from an app that OpenTelemetry watches too.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { after, before, test } from 'node:test';
import { blocksOf } from './page.mjs';

const folder = mkdtempSync(join(import.meta.dirname, '.sentry-'));
const ERROR = 2;

let sentry;
let app;
let port;
const events = [];
const said = [];

/** What Sentry is sent: envelopes of lines of JSON, a header before each item. */
function receive(body) {
  const lines = body.toString().split('\n');
  lines.forEach((line, at) => {
    if (/"type":"event"/.test(line)) events.push(JSON.parse(lines[at + 1]));
  });
}

before(async () => {
  sentry = http.createServer(async (req, res) => {
    const body = Buffer.concat(await req.toArray());
    receive(req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    sentry.emit('received');
    res.end('{}');
  });
  sentry.listen(0, '127.0.0.1');
  await once(sentry, 'listening');
  const instrument = join(folder, 'instrument.mjs');
  writeFileSync(instrument, blocksOf('Sentry')[0]);
  app = fork(join(import.meta.dirname, 'sentry/app.mjs'), {
    execArgv: ['--import', instrument, '--import', join(import.meta.dirname, 'sentry/spans.mjs')],
    env: { ...process.env, SENTRY_DSN: `http://key@127.0.0.1:${sentry.address().port}/1` },
  });
  app.on('message', (message) => {
    said.push(message);
    app.emit('said');
  });
  ({ port } = await told('port'));
});

after(() => {
  app.kill();
  sentry.closeAllConnections();
  sentry.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Waits until the app has told something with this member, and takes it. */
async function told(member, matches = () => true) {
  for (;;) {
    const at = said.findIndex((message) => member in message && matches(message[member]));
    if (at >= 0) return said.splice(at, 1)[0];
    await once(app, 'said');
  }
}

async function spanOf(path) {
  // The app's upstream is a server in the same process.
  const isOfApp = ({ attributes }) => attributes['server.port'] === port && attributes['url.path'] === path;
  const { span } = await told('span', isOfApp);
  return [span.attributes['http.response.status_code'], span.status];
}

test('faults are reported once, with their code, and the spans of the server show them as errors', async () => {
  for (const [path, status] of [
    ['/reset', 502],
    ['/late', 504],
  ]) {
    assert.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, status);
    assert.deepEqual(await spanOf(path), [status, ERROR]);
  }
});

test('a client that leaves is a 499 without an error in its span', async () => {
  const leaving = http.get({ host: '127.0.0.1', port, path: '/left' }).on('error', () => undefined);
  await told('arrived', (path) => path === '/left');
  leaving.destroy();
  assert.deepEqual(await spanOf('/left'), [499, 0]);
});

test("Sentry has heard of the faults and of the app's own error, once each, and of nothing else", async () => {
  assert.equal((await fetch(`http://127.0.0.1:${port}/missing`)).status, 404);
  // The last one: what came before it has been sent before it.
  assert.equal((await fetch(`http://127.0.0.1:${port}/bug`)).status, 500);
  const hasCome = () => events.some(({ exception }) => exception.values.at(-1).value === 'bug');
  while (!hasCome()) await once(sentry, 'received');
  assert.deepEqual(
    events.map(({ exception, tags }) => [exception.values.at(-1).type, tags?.code]),
    [
      ['TypeError', 'UPSTREAM_RESET'],
      ['TimeoutError', 'DEADLINE_EXCEEDED'],
      ['Error', undefined],
    ],
  );
});
