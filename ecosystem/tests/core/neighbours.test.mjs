// Uploads, WebSockets, adapters without sockets, mocks.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import mocks from 'node-mocks-http';
import WebSocket from 'ws';
import { expresses, gate, serve, Wire } from './wire.mjs';

const require = createRequire(import.meta.url);
const multer = require('multer');
const expressWs = require('express-ws');
const vendia = require('@vendia/serverless-express');
const codegenie = require('@codegenie/serverless-express');
const serverlessHttp = require('serverless-http');

function answering(express, options = { deadline: 60, grace: 0 }) {
  const app = express();
  app.set('env', 'test');
  app.use(hangup(options));
  app.get('/ok', (_req, res) => res.json({ ok: true }));
  app.get('/late', (req) => void req.signal);
  app.use(gatewayErrorHandler());
  return app;
}

const EVENT = (path) => ({
  version: '2.0',
  routeKey: '$default',
  rawPath: path,
  rawQueryString: '',
  headers: { host: 'test' },
  requestContext: {
    http: { method: 'GET', path, sourceIp: '127.0.0.1', protocol: 'HTTP/1.1' },
    stage: '$default',
  },
  isBase64Encoded: false,
});

const ADAPTERS = {
  '@vendia/serverless-express': async (app, path) => {
    const { statusCode, body } = await vendia({ app })(EVENT(path), {}, undefined);
    return [statusCode, body];
  },
  '@codegenie/serverless-express': async (app, path) => {
    const { statusCode, body } = await (codegenie.default ?? codegenie)({ app })(EVENT(path), {}, undefined);
    return [statusCode, body];
  },
  'serverless-http': async (app, path) => {
    const { statusCode, body } = await serverlessHttp(app)(EVENT(path), {});
    return [statusCode, body];
  },
  'node-mocks-http': async (app, path) => {
    const req = mocks.createRequest({ method: 'GET', url: path });
    const res = mocks.createResponse({ eventEmitter: require('node:events').EventEmitter, req });
    const ended = once(res, 'end');
    app.handle(req, res);
    await ended;
    return [res.statusCode, res._getData()];
  },
};

for (const [version, express] of expresses) {
  for (const [name, call] of Object.entries(ADAPTERS)) {
    test(`${name} on ${version}: a request is served, and a deadline is a 504`, async (t) => {
      // As the runtime of a function does: without sockets, nothing else keeps this process alive.
      const alive = setInterval(() => undefined, 1000);
      t.after(() => clearInterval(alive));
      const app = answering(express);
      const [status, body] = await call(app, '/ok');
      assert.deepEqual([status, JSON.parse(body)], [200, { ok: true }]);
      const [late, problem] = await call(app, '/late');
      assert.equal(late, 504);
      assert.equal(JSON.parse(problem).code, 'DEADLINE_EXCEEDED');
    });
  }

  test(`a deadline amid an upload on ${version}: the client sees the 504, multer closes and removes its file`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'upload-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const openFiles = () =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory);
        } catch {
          return false;
        }
      }).length;
    const app = express();
    app.set('env', 'test');
    app.use(hangup({ deadline: 100, grace: 0 }));
    const over = [];
    app.post('/', (req, res, next) => {
      const done = gate();
      over.push(done.promise);
      multer({ dest: directory }).single('file')(req, res, (error) => {
        done.open(error);
        next(error);
      });
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(t, app);
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const wire = await Wire.connect(port);
        wire.send(
          'POST / HTTP/1.1\r\nHost: t\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n' +
            '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhalf of it',
        );
        const response = await wire.response();
        assert.deepEqual([response.status, response.complete], [504, true]);
      }),
    );
    assert.equal(over.length, 20);
    for (const error of await Promise.all(over)) assert.ok(error instanceof Error);
    assert.deepEqual([openFiles(), readdirSync(directory)], [0, []]);
  });

  test(`express-ws on ${version}: a WebSocket lives longer than the app's deadline, and its signal tells the departure`, async (t) => {
    const app = express();
    app.set('env', 'test');
    const server = require('node:http').createServer(app);
    expressWs(app, server);
    app.use(hangup({ deadline: 50, grace: 0 }));
    const left = gate();
    let remaining;
    app.ws('/echo', (ws, req) => {
      remaining = req.deadline.remaining();
      req.signal.addEventListener('abort', () => left.open(req.signal.reason.code));
      ws.on('message', (text) => ws.send(String(text)));
    });
    app.use(gatewayErrorHandler());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const ws = new WebSocket(`ws://127.0.0.1:${server.address().port}/echo`);
    await once(ws, 'open');
    const silence = setTimeout(() => ws.send('after the deadline'), 200);
    t.after(() => clearTimeout(silence));
    const [message] = await once(ws, 'message');
    assert.equal(String(message), 'after the deadline');
    assert.equal(remaining, Infinity);
    ws.terminate();
    assert.equal(await left.promise, 'CLIENT_CLOSED_REQUEST');
  });
}
