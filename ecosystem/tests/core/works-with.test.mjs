// The lines of docs/works-with.md, as they stand there, with the real packages. (Frameworks, sockets, passport and Sentry have files of their own.)
import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import winston from 'winston';
import { runSection } from './page.mjs';
import { expresses, gate, serve, Wire } from './wire.mjs';

const require = createRequire(import.meta.url);
const hangupPackage = require('express-hangup');
const { hangup, gatewayErrorHandler } = hangupPackage;

function reset(_req, _res, next) {
  next(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));
}

for (const [version, express] of expresses) {
  const newApp = () => {
    const app = express();
    app.set('env', 'test');
    return app;
  };

  test(`the document's access logs on ${version} show 504 and 499`, async (t) => {
    const lines = { morgan: [], pino: [], winston: [] };
    const both = { morgan: gate(), pino: gate(), winston: gate() };
    const note = (who, status) => {
      if (lines[who].push(status) === 2) both[who].open(lines[who]);
    };
    const app = newApp();
    app.use(hangup({ deadline: 80, grace: 0 }));
    const realMorgan = require('morgan');
    const morgan = Object.assign(
      (format) =>
        realMorgan(format, { stream: { write: (line) => note('morgan', Number(line.split(' ')[2])) } }),
      { token: realMorgan.token.bind(realMorgan) },
    );
    runSection('morgan', { app, morgan });
    const pinoHttp = (options) =>
      require('pino-http')(options, { write: (line) => note('pino', JSON.parse(line).res.statusCode) });
    runSection('pino-http', { app, pinoHttp });
    const stream = new Writable({
      write(line, _encoding, done) {
        note('winston', JSON.parse(line).status);
        done();
      },
    });
    const logger = winston.createLogger({ transports: [new winston.transports.Stream({ stream })] });
    const subscribed = [];
    const channels = {
      subscribe(name, listener) {
        subscribed.push([name, listener]);
        diagnostics.subscribe(name, listener);
      },
    };
    runSection('express-winston', { diagnostics: channels, logger });
    t.after(() => subscribed.forEach(([name, listener]) => diagnostics.unsubscribe(name, listener)));
    const arrived = gate();
    app.get('/late', () => undefined);
    // What the handler says when nobody is there any more is not what the logs show.
    app.get('/left', hangupPackage.deadline(5000), (req, res) => {
      req.signal.addEventListener('abort', () => setImmediate(() => res.status(200).json({ late: true })));
      arrived.open();
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(t, app);
    assert.equal((await (await Wire.connect(port)).get('/late').response()).status, 504);
    const leaving = (await Wire.connect(port)).get('/left');
    await arrived.promise;
    leaving.close();
    for (const who of Object.keys(both)) assert.deepEqual(await both[who].promise, [504, 499], who);
  });

  test(`helmet on ${version}: its headers stand on a 502 and on the deadline's 504`, async (t) => {
    const app = newApp();
    app.use(hangup({ deadline: 80, grace: 0 }), require('helmet')());
    app.get('/reset', reset);
    app.get('/late', () => undefined);
    app.use(gatewayErrorHandler());
    const { port } = await serve(t, app);
    const wire = await Wire.connect(port);
    for (const [path, status] of [
      ['/reset', 502],
      ['/late', 504],
    ]) {
      const response = await wire.get(path).response();
      assert.equal(response.status, status);
      assert.match(response.headers['content-security-policy'], /default-src/);
    }
    wire.close();
  });

  test(`apicache on ${version}, by the document's lines: a 502 and a 504 are not kept, a 200 is`, async (t) => {
    const app = newApp();
    app.use(hangup({ deadline: 80, grace: 0 }));
    const turns = [reset, () => undefined, (_req, res) => res.send('price')];
    const prices = (...args) => turns.shift()(...args);
    const apicache = require('apicache').newInstance();
    // Key by key: clear() alone leaves its timers running for a minute.
    t.after(() => apicache.getIndex().all.forEach((key) => apicache.clear(key)));
    runSection('apicache', { app, apicache, prices });
    app.use(gatewayErrorHandler());
    const { port } = await serve(t, app);
    const statuses = [];
    for (let i = 0; i < 4; i++)
      statuses.push((await (await Wire.connect(port)).get('/prices').response()).status);
    assert.deepEqual(statuses, [502, 504, 200, 200]);
  });

  test(`the document's deadline of a function on ${version}: what the platform grants, less a second`, async (t) => {
    const alive = setInterval(() => undefined, 1000);
    t.after(() => clearInterval(alive));
    const {
      default: codegenie = require('@codegenie/serverless-express'),
    } = require('@codegenie/serverless-express');
    const app = newApp();
    runSection('Serverless adapters', {
      app,
      getCurrentInvoke: require('@codegenie/serverless-express').getCurrentInvoke,
    });
    app.get('/', (req, res) => res.json({ timeout: req.deadline.timeout }));
    const { body } = await codegenie({ app })(
      {
        ...{
          version: '2.0',
          routeKey: '$default',
          rawPath: '/',
          rawQueryString: '',
          headers: { host: 'test' },
        },
        requestContext: { http: { method: 'GET', path: '/', sourceIp: '127.0.0.1', protocol: 'HTTP/1.1' } },
        isBase64Encoded: false,
      },
      { getRemainingTimeInMillis: () => 6000 },
    );
    assert.deepEqual(JSON.parse(body), { timeout: 5000 });
  });
}
