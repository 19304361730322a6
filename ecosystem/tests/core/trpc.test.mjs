// "tRPC" of docs/works-with.md, with the real one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initTRPC } from '@trpc/server';
import { createExpressMiddleware } from '@trpc/server/adapters/express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { runSection } from './page.mjs';
import { expresses, gate, serve, Wire } from './wire.mjs';

const { router, procedure } = initTRPC.context().create();

function reset() {
  throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

async function trpcApp(t, express, procedures) {
  const app = express();
  app.set('env', 'test');
  app.use(hangup({ deadline: 80, grace: 20 }));
  runSection('tRPC', { app, createExpressMiddleware, router: router(procedures) });
  app.get('/late', () => undefined);
  app.use(gatewayErrorHandler());
  return serve(t, app);
}

const ask = async (port, path, headers = '') => (await Wire.connect(port)).get(path, headers);
const batch = (...names) => `/trpc/${names.join(',')}?batch=1&input=%7B%7D`;

for (const [version, express] of expresses) {
  test(`a batch on ${version} of which one call is late is a whole 504`, async (t) => {
    const { port } = await trpcApp(t, express, {
      well: procedure.query(() => 'yes'),
      listens: procedure.query(
        ({ ctx: { signal } }) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ),
      deaf: procedure.query(() => new Promise(() => undefined)),
    });
    for (const late of ['listens', 'deaf']) {
      const response = await (await ask(port, batch('well', late))).response();
      assert.deepEqual([response.status, response.complete], [504, true], late);
      assert.equal(JSON.parse(response.body).code, 'DEADLINE_EXCEEDED');
    }
    assert.equal((await (await ask(port, batch('well', 'well'))).response()).status, 200);
  });

  test(`a call on ${version} whose upstream resets is a 502 in tRPC's form, and one of two leaves the other alone`, async (t) => {
    const { port } = await trpcApp(t, express, {
      well: procedure.query(() => 'yes'),
      reset: procedure.query(reset),
      bug: procedure.query(() => {
        throw new Error('bug');
      }),
    });
    const one = await (await ask(port, '/trpc/reset')).response();
    assert.deepEqual([one.status, JSON.parse(one.body).error.message], [502, 'socket hang up']);
    const two = await (await ask(port, batch('well', 'reset'))).response();
    assert.equal(two.status, 207);
    assert.equal(JSON.parse(two.body)[0].result.data, 'yes');
    assert.equal((await (await ask(port, '/trpc/bug')).response()).status, 500);
  });

  test(`a subscription on ${version} outlives the deadline, and hears that its client has left`, async (t) => {
    const passed = gate();
    const left = gate();
    const { port } = await trpcApp(t, express, {
      ticks: procedure.subscription(async function* ({ ctx: { signal } }) {
        signal.addEventListener('abort', () => left.open(signal.reason.code));
        yield 'before';
        await passed.promise;
        yield 'after';
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }),
    });
    const wire = await ask(port, '/trpc/ticks', 'Accept: text/event-stream\r\n');
    const seen = new Promise((resolve) => {
      let text = '';
      wire.socket.on('data', (chunk) => {
        text += chunk;
        if (text.includes('after')) resolve(text);
      });
    });
    // Its deadline began later: when it has passed, so has the subscription's.
    assert.equal((await (await ask(port, '/late')).response()).status, 504);
    passed.open();
    assert.match(await seen, /before[^]*after/);
    wire.close();
    assert.equal(await left.promise, 'CLIENT_CLOSED_REQUEST');
  });
}
