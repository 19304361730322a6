// Middleware that holds a response back: what it calls later must not mix with the answer that was given meanwhile.
import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import newNextSession from 'next-session';
import { expresses, gate, serve, uncaught, Wire } from './wire.mjs';

const require = createRequire(import.meta.url);
const session = require('express-session');
const compression = require('compression');
const mung = require('express-mung');

/** A session store that answers when it is told to, after some time, or never. */
function storeThat(answer) {
  class SlowStore extends session.Store {
    get(_id, done) {
      done(null, undefined);
    }
    set(_id, _data, done) {
      answer(done);
    }
    touch(_id, _data, done) {
      answer(done);
    }
    destroy(_id, done) {
      done();
    }
  }
  return session({ secret: 's', resave: false, saveUninitialized: true, store: new SlowStore() });
}

const after = (ms) => (done) => setTimeout(done, ms);

/** next-session, which commits by itself at `res.end()`, with a store that takes 30 ms. */
function nextSession() {
  const set = () => new Promise((resolve) => setTimeout(resolve, 30));
  const sessionOf = newNextSession({ store: { get: async () => null, set, destroy: async () => undefined } });
  return (req, res, next) => {
    const begin = (session) => {
      session.isSeen = true;
      next();
    };
    sessionOf(req, res).then(begin, next);
  };
}

/** Middleware whose `end` ends later, as many a home-made one. */
function slowEnd(ms) {
  return (_req, res, next) => {
    const end = res.end;
    res.end = function later(...args) {
      setTimeout(() => end.apply(res, args), ms);
      return res;
    };
    next();
  };
}

const HOLDERS = [
  ['express-session with a slow store', () => storeThat(after(30))],
  ['next-session with a slow store', nextSession],
  ['an `end` that ends later', () => slowEnd(30)],
  ['compression', () => compression({ threshold: 0 })],
  ['express-mung with asynchronous headers', () => mung.headersAsync(async () => undefined)],
];

for (const [version, express] of expresses) {
  for (const [name, holder] of HOLDERS) {
    test(`${name} on ${version}: handlers whose time straddles the deadline end as a whole 200 or a whole 504`, async (t) => {
      const errors = uncaught(t);
      const app = express();
      app.set('env', 'test');
      app.use(hangup({ deadline: 60, grace: 5 }));
      app.use(holder());
      app.get('/work/:ms', (req, res) => {
        setTimeout(() => {
          const isLate = req.signal.aborted;
          res.json({ whole: true });
          if (isLate) res.write('row\n');
        }, Number(req.params.ms));
      });
      app.get('/next', deadline(5000), (_req, res) => res.send('next'));
      app.use(gatewayErrorHandler());
      const { port } = await serve(t, app);
      const seen = { 200: 0, 504: 0 };
      const client = async (offset) => {
        for (let i = 0; i < 10; i++) {
          const wire = await Wire.connect(port);
          wire.get(`/work/${20 + ((offset * 10 + i) % 60)}`).get('/next');
          const first = await wire.response();
          assert.equal(first.complete, true, JSON.stringify(first));
          if (first.status === 200) {
            if (first.headers['content-encoding'] === undefined) assert.equal(first.body, '{"whole":true}');
          } else {
            assert.equal(first.status, 504, JSON.stringify(first));
            assert.equal(JSON.parse(first.body).code, 'DEADLINE_EXCEEDED');
          }
          seen[first.status] += 1;
          const second = await wire.response();
          assert.equal(second.complete && second.status, 200, JSON.stringify([first, second]));
          if (second.headers['content-encoding'] === undefined) assert.equal(second.body, 'next');
          assert.equal(wire.rest(), '');
          wire.close();
        }
      };
      await Promise.all(Array.from({ length: 10 }, (_, index) => client(index)));
      assert.ok(seen[200] > 5 && seen[504] > 5, JSON.stringify(seen));
      assert.deepEqual(errors, []);
    });
  }

  for (const [way, answer] of [
    ['json', (res) => res.json({ ok: true })],
    ['end', (res) => res.end()],
    ['a redirect', (res) => res.redirect('/')],
    ['204', (res) => res.sendStatus(204)],
  ]) {
    test(`a session store that never answers, after ${way} on ${version}: the client is not left waiting`, async (t) => {
      const app = express();
      app.set('env', 'test');
      app.use(hangup({ deadline: 50, grace: 5 }));
      app.use(storeThat(() => undefined));
      app.get('/', (_req, res) => answer(res));
      app.use(gatewayErrorHandler());
      const { port } = await serve(t, app);
      const wire = (await Wire.connect(port)).get('/');
      const response = await wire.response();
      // What has begun is cut after the backstop; where nothing has left yet, the 504 goes past the session.
      if (response.status === 504) assert.equal(response.complete, true);
      else assert.deepEqual([response.complete, wire.closed], [false, true]);
    });
  }

  test(`a session store that fails after the deadline's answer does not touch it on ${version}`, async (t) => {
    const errors = uncaught(t);
    const app = express();
    app.set('env', 'test');
    app.use(hangup({ deadline: 30, grace: 0 }));
    app.use(storeThat((done) => setTimeout(done, 60, new Error('lost'))));
    app.get('/', (_req, res) => res.end());
    app.get('/next', deadline(false), (_req, res) => setTimeout(() => res.end('next'), 60));
    app.use(gatewayErrorHandler());
    const { port } = await serve(t, app);
    const wire = (await Wire.connect(port)).get('/').get('/next');
    assert.deepEqual([(await wire.response()).status, (await wire.response()).body], [504, 'next']);
    assert.deepEqual(errors, []);
  });

  test(`a 502 lets the session be saved and closes to the handler on ${version}`, async (t) => {
    const errors = uncaught(t);
    const saved = gate();
    const late = [];
    const note = (event) => late.push(event.call);
    diagnostics.subscribe('express-hangup:late-response', note);
    t.after(() => diagnostics.unsubscribe('express-hangup:late-response', note));
    const app = express();
    app.set('env', 'test');
    app.use(hangup());
    app.use(storeThat((done) => saved.promise.then(() => done())));
    app.get('/', (_req, res, next) => {
      next(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));
      res.json({ late: true });
      res.write('row');
      res.setHeader('X-Late', '1');
      next(new Error('again'));
      saved.open();
    });
    app.get('/next', (_req, res) => res.send('next'));
    app.use(gatewayErrorHandler());
    const { port } = await serve(t, app);
    const wire = (await Wire.connect(port)).get('/').get('/next');
    const first = await wire.response();
    assert.equal(first.status, 502);
    assert.equal(JSON.parse(first.body).code, 'UPSTREAM_RESET');
    assert.match(first.headers['set-cookie'], /connect\.sid/);
    assert.equal(first.headers['x-late'], undefined);
    assert.equal((await wire.response()).body, 'next');
    assert.deepEqual(late, ['json']);
    assert.deepEqual(errors, []);
  });

  test(`a 502 through compression is chunked, and the connection stays on ${version}`, async (t) => {
    const app = express();
    app.set('env', 'test');
    app.use(hangup());
    app.use(compression({ threshold: 0 }));
    app.get('/', (_req, _res, next) => next(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' })));
    app.get('/next', (_req, res) => res.send('next'));
    app.use(
      gatewayErrorHandler({ render: (fault, _req, res) => res.type('text').end(fault.title.repeat(500)) }),
    );
    const { port } = await serve(t, app);
    const wire = (await Wire.connect(port)).get('/', 'Accept-Encoding: gzip\r\n').get('/next');
    const first = await wire.response();
    assert.deepEqual(
      [first.status, first.complete, first.headers['transfer-encoding']],
      [502, true, 'chunked'],
    );
    assert.equal((await wire.response()).body, 'next');
  });
}
