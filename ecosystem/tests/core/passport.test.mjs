// "passport" of docs/works-with.md: users that are looked up late.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import session from 'express-session';
import { Strategy } from 'passport-strategy';
import { runSection } from './page.mjs';
import { expresses, gate, serve, uncaught, Wire } from './wire.mjs';

const { Passport } = createRequire(import.meta.url)('passport');

/** Whoever asks is user 7. */
class Everybody extends Strategy {
  name = 'everybody';
  authenticate() {
    this.success({ id: 7 });
  }
}

/** An app with a login; `lookUp` is asked for the user of each later request. */
async function appWithUsers(t, express, lookUp, { reached = () => undefined, placeOrder } = {}) {
  const passport = new Passport();
  passport.use(new Everybody());
  passport.serializeUser((user, done) => done(null, user.id));
  passport.deserializeUser(lookUp);
  const app = express();
  app.set('env', 'test');
  app.use(hangup({ deadline: 80, grace: 0 }));
  app.use(session({ secret: 's', resave: false, saveUninitialized: false }));
  app.get('/login', passport.initialize(), passport.authenticate('everybody'), (req, res) => res.send('in'));
  app.get('/me', passport.initialize(), passport.session(), (req, res) => {
    reached(req);
    res.json({ id: req.user?.id });
  });
  app.use(passport.initialize());
  runSection('passport', { app, passport, placeOrder });
  app.get('/guarded', passport.session(), deadline(10_000), (req, res) => {
    reached(req);
    res.json({ id: req.user.id });
  });
  app.use(gatewayErrorHandler());
  const { port } = await serve(t, app);
  const { headers } = await (await Wire.connect(port)).get('/login').response();
  const cookie = `Cookie: ${headers['set-cookie'].split(';')[0]}\r\n`;
  const send = async (line) =>
    (await Wire.connect(port)).send(`${line} HTTP/1.1\r\nHost: test\r\n${cookie}\r\n`);
  return {
    ask: () => send('GET /me'),
    order: () => send('POST /orders'),
    guarded: () => send('GET /guarded'),
  };
}

for (const [version, express] of expresses) {
  test(`passport on ${version} looks up its user`, async (t) => {
    const { ask } = await appWithUsers(t, express, (id, done) => done(null, { id }));
    const { status, body } = await (await ask()).response();
    assert.deepEqual([status, JSON.parse(body)], [200, { id: 7 }]);
  });

  test(`passport on ${version} that finds its user after the deadline: a whole 504, then a handler whose signal has aborted`, async (t) => {
    const errors = uncaught(t);
    const found = gate();
    const handled = gate();
    const { ask } = await appWithUsers(
      t,
      express,
      (id, done) => found.promise.then(() => done(null, { id })),
      {
        reached: handled.open,
      },
    );
    const wire = await ask();
    const { status, complete } = await wire.response();
    assert.deepEqual([status, complete], [504, true]);
    found.open();
    const { signal } = await handled.promise;
    assert.equal(signal.reason.code, 'DEADLINE_EXCEEDED');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([wire.rest(), errors], ['', []]);
  });

  test(`the document's handler behind passport on ${version} places an order in time, and none that nobody waits for`, async (t) => {
    const placed = [];
    const placeOrder = ({ id }) => placed.push(id);
    const found = gate();
    let isSlow = false;
    const lookUp = async (id, done) => {
      if (isSlow) await found.promise;
      done(null, { id });
      if (isSlow) looked.open();
    };
    const looked = gate();
    const { order } = await appWithUsers(t, express, lookUp, { placeOrder });
    assert.equal((await (await order()).response()).status, 201);
    isSlow = true;
    assert.equal((await (await order()).response()).status, 504);
    found.open();
    await looked.promise;
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(placed, [7]);
  });

  test(`a deadline() behind passport on ${version} starts its route in time, and does not start it late`, async (t) => {
    const reached = [];
    const found = gate();
    const looked = gate();
    let isSlow = false;
    const lookUp = async (id, done) => {
      if (isSlow) await found.promise;
      done(null, { id });
      if (isSlow) looked.open();
    };
    const { guarded } = await appWithUsers(t, express, lookUp, { reached: (req) => reached.push(req) });
    assert.equal((await (await guarded()).response()).status, 200);
    isSlow = true;
    assert.equal((await (await guarded()).response()).status, 504);
    found.open();
    await looked.promise;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(reached.length, 1);
  });

  test(`passport on ${version} whose database is gone: a 502`, async (t) => {
    const { ask } = await appWithUsers(t, express, (_id, done) =>
      done(
        Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), {
          code: 'ECONNREFUSED',
          syscall: 'connect',
        }),
      ),
    );
    assert.equal((await (await ask()).response()).status, 502);
  });
}
