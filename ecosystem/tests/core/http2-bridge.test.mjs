// Express over HTTP/2: Express 4 by http2-express-bridge; and the HTTP/1 clients of a server that speaks both.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { createRequire } from 'node:module';
import { after, before, beforeEach, describe, test } from 'node:test';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { hangupProxy } from 'express-hangup/proxy';
import { clientThatHangsUp } from 'express-hangup/testing';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { TEST_CERTIFICATES, TEST_KEY } from '../test-certificates.mjs';
import { gate } from './wire.mjs';

const require = createRequire(import.meta.url);
const bridge = require('http2-express-bridge');
const express4 = require('express4');
const express5 = require('express');

/** Answers /ok; resets the connection of all else, for /half in the middle of the body. */
const upstream = http.createServer((req, res) => {
  if (req.url === '/ok') res.end('from the upstream');
  else if (req.url === '/half') res.write('half', () => req.socket.resetAndDestroy());
  else req.socket.resetAndDestroy();
});

function build(express, make) {
  const app = make(express);
  app.set('env', 'test');
  app.use(hangup({ deadline: 200 }));
  app.get('/fast', (req, res) => res.json({ version: req.httpVersion, aborted: req.signal.aborted }));
  app.get('/never', () => {});
  app.get('/late', (req, res) => {
    answered.promise.then(() => res.json({}));
  });
  app.get('/open', (req, res) => {
    req.signal.addEventListener('abort', () => left.open(req.signal.reason.code));
    res.write('begun');
  });
  app.use(
    '/upstream',
    createProxyMiddleware(hangupProxy({ target: `http://127.0.0.1:${upstream.address().port}` })),
  );
  app.use(gatewayErrorHandler());
  return app;
}

/** Opened when the client of /late has its answer. */
let answered;
/** Opened with the reason's code when the client of /open has left. */
let left;
let lateResponse;
const onLate = (event) => lateResponse.open(event);
let fault;
const onFault = (event) => fault.open(event);

const CASES = [
  ['http2-express-bridge, client of HTTP/2', express4, bridge, 'http2'],
  ['http2-express-bridge, client of HTTP/1', express4, bridge, 'http1'],
  ['Express 5, client of HTTP/1', express5, (express) => express(), 'http1'],
  // By now the gate stands on Express 4's own response, and the bridge copies it.
  ['http2-express-bridge in a later app, client of HTTP/2', express4, bridge, 'http2'],
];

for (const [name, express, make, protocol] of CASES) {
  describe(`${name}, on a server of both`, () => {
    const server = http2.createSecureServer({
      key: TEST_KEY,
      cert: TEST_CERTIFICATES.trusted,
      allowHTTP1: true,
    });
    const ask = (path, more) => clientThatHangsUp(server, { protocol, path, ...more });

    before(async () => {
      upstream.listen(0, '127.0.0.1');
      await once(upstream, 'listening');
      server.on('request', build(express, make)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      subscribe('express-hangup:late-response', onLate);
      subscribe('express-hangup:fault', onFault);
    });

    beforeEach(() => {
      answered = gate();
      left = gate();
      lateResponse = gate();
      fault = gate();
    });

    after(() => {
      unsubscribe('express-hangup:late-response', onLate);
      unsubscribe('express-hangup:fault', onFault);
      server.close();
      upstream.closeAllConnections();
      upstream.close();
    });

    test(`${name}: a handler answers, and has a signal`, async () => {
      const { response } = await ask('/fast');
      const version = protocol === 'http2' ? '2.0' : '1.1';
      assert.deepEqual(JSON.parse(response.text), { version, aborted: false });
    });

    for (const [path, status] of [
      ['/never', 504],
      ['/upstream/ok', 200],
      ['/upstream/reset', 502],
    ]) {
      test(`${name}: ${path} is answered ${status}`, async () => {
        const { response } = await ask(path);
        assert.deepEqual([response.status, response.complete], [status, true]);
      });
    }

    test(`${name}: a response that the upstream cuts is cut, and is the upstream's fault`, async () => {
      const { response } = await ask('/upstream/half');
      assert.equal(response.complete, false);
      assert.equal((await fault.promise).code, 'UPSTREAM_RESET');
    });

    test(`${name}: a late call is harmless and reported`, async () => {
      const { response } = await ask('/late');
      answered.open();
      assert.equal(response.status, 504);
      assert.equal((await lateResponse.promise).route, '/late');
    });

    test(`${name}: a handler learns that its client has left`, async () => {
      await ask('/open', { leave: 'during-response', how: 'rst' });
      assert.equal(await left.promise, 'CLIENT_CLOSED_REQUEST');
    });
  });
}

test('an app of http2-express-bridge without hangup(), made after those with it, answers over HTTP/2', async () => {
  const app = bridge(express4).get('/fast', (_req, res) => res.json({ fast: true }));
  const server = http2.createSecureServer({ key: TEST_KEY, cert: TEST_CERTIFICATES.trusted });
  server.on('request', app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { response } = await clientThatHangsUp(server, { protocol: 'http2', path: '/fast' });
  assert.deepEqual([response?.status, response?.text], [200, '{"fast":true}']);
  server.close();
});
