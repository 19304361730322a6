// Uploads, WebSockets, loggers, adapters without sockets, mocks.
import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import mocks from 'node-mocks-http';
import WebSocket from 'ws';
import { expresses, gate, serve, Wire } from './wire.mjs';

const require = createRequire(import.meta.url);
const multer = require('multer');
const expressWs = require('express-ws');
const morgan = require('morgan');
const pinoHttp = require('pino-http');
const winston = require('winston');
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

  test(`access logs on ${version}: 504 and, by the recipes, 499`, async (t) => {
    const lines = { morgan: [], pino: [], winston: [] };
    const status = { morgan: gate(), pino: gate(), winston: gate() };
    const note = (who, value) => {
      lines[who].push(value);
      if (lines[who].length === 2) status[who].open(lines[who]);
    };
    morgan.token('outcome', (_req, res) =>
      res.headersSent || res.statusCode === 499 ? res.statusCode : '-',
    );
    const app = express();
    app.set('env', 'test');
    app.use(hangup({ deadline: 80, grace: 0 }));
    app.use(morgan(':outcome', { stream: { write: (line) => note('morgan', Number(line)) } }));
    app.use(
      pinoHttp(
        // Its own serializer writes null where no head was sent.
        { serializers: { res: (res) => ({ ...res, statusCode: res.raw.statusCode }) } },
        { write: (line) => note('pino', JSON.parse(line).res.statusCode) },
      ),
    );
    // express-winston logs from `res.end`, which the deadline's answer passes by: winston is told by the event.
    const transport = new winston.transports.Stream({
      stream: new (require('node:stream').Writable)({
        write(line, _encoding, done) {
          note('winston', JSON.parse(line).status);
          done();
        },
      }),
    });
    const logger = winston.createLogger({ format: winston.format.json(), transports: [transport] });
    const log = ({ method, route, status, ms }) => logger.info('request', { method, route, status, ms });
    diagnostics.subscribe('express-hangup:settle', log);
    t.after(() => diagnostics.unsubscribe('express-hangup:settle', log));
    const arrived = gate();
    app.get('/late', () => undefined);
    app.get('/left', deadline(5000), (req, res) => {
      arrived.open();
      req.signal.addEventListener('abort', () => setImmediate(() => res.status(200).json({ late: true })));
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(t, app);
    assert.equal((await (await Wire.connect(port)).get('/late').response()).status, 504);
    const leaving = (await Wire.connect(port)).get('/left');
    await arrived.promise;
    leaving.close();
    assert.deepEqual(await status.morgan.promise, [504, 499]);
    assert.deepEqual(await status.pino.promise, [504, 499]);
    assert.deepEqual(await status.winston.promise, [504, 499]);
  });
}
