// Fake timers of users' tests advance a deadline as they advance a setTimeout, also where they leave performance.now() alone.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mock, test } from 'node:test';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import sinon from 'sinon';
import { gate, serve, Wire } from './wire.mjs';

const express = createRequire(import.meta.url)('express');

const CLOCKS = {
  "node:test's mock timers": () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    return { tick: (ms) => mock.timers.tick(ms), restore: () => mock.timers.reset() };
  },
  'sinon without performance': () => {
    const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    return { tick: (ms) => clock.tick(ms), restore: () => clock.restore() };
  },
};

for (const [name, install] of Object.entries(CLOCKS)) {
  for (const path of ['/app', '/route']) {
    test(`${name}: a deadline of ${path} passes when it is ticked past, and not before`, async (t) => {
      const arrived = gate();
      const app = express();
      app.set('env', 'test');
      app.use(hangup({ deadline: 60_000, grace: 0 }));
      app.get('/real', (_req, res) => res.end());
      app.get('/app', () => arrived.open());
      app.get('/route', deadline(60_000), () => arrived.open());
      app.use(gatewayErrorHandler());
      const { port } = await serve(t, app);
      const wire = await Wire.connect(port);
      // A request in real time before, whose timer still runs.
      wire.get('/real');
      assert.equal((await wire.response()).status, 200);
      const clock = install();
      try {
        let isAnswered = false;
        wire.get(path);
        await arrived.promise;
        const response = wire.response().then((it) => {
          isAnswered = true;
          return it;
        });
        clock.tick(59_000);
        await new Promise(setImmediate);
        assert.equal(isAnswered, false);
        clock.tick(2_000);
        assert.equal((await response).status, 504);
      } finally {
        clock.restore();
        wire.close();
      }
    });
  }
}
