// In a process of its own: light-my-request changes what every request of an Express copy inherits from.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import inject from 'light-my-request';
import { expresses } from './wire.mjs';

for (const [version, express] of expresses) {
  test(`light-my-request on ${version}: a request is served, and a deadline is a 504`, async (t) => {
    // Without sockets, nothing else keeps this process alive.
    const alive = setInterval(() => undefined, 1000);
    t.after(() => clearInterval(alive));
    const app = express();
    app.set('env', 'test');
    app.use(hangup({ deadline: 60, grace: 0 }));
    app.get('/ok', (_req, res) => res.json({ ok: true }));
    app.get('/late', () => undefined);
    app.use(gatewayErrorHandler());
    for (let round = 0; round < 2; round++) {
      const ok = await inject(app, { method: 'GET', url: '/ok' });
      assert.deepEqual([ok.statusCode, ok.json()], [200, { ok: true }]);
      const late = await inject(app, { method: 'GET', url: '/late' });
      assert.deepEqual([late.statusCode, late.json().code], [504, 'DEADLINE_EXCEEDED']);
    }
  });
}
