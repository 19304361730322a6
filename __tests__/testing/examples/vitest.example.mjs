import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientThatHangsUp, failOnLateResponse, faultyUpstream, watchLeaks } from 'express-hangup/testing';
import { createApp } from './app.cjs';

let upstream;
let app;
beforeAll(async () => {
  upstream = await faultyUpstream();
  app = createApp(upstream.url);
});
afterAll(() => upstream.close());

test('nothing is left behind, whatever happens', async () => {
  const watch = watchLeaks();
  const late = failOnLateResponse();
  for (const fault of ['ok', 'hang', 'reset', 'close-chunk', 'garbage']) {
    upstream.use(fault);
    await clientThatHangsUp(app, { path: '/api/data' });
    await clientThatHangsUp(app, { path: '/api/data', leave: 'after-request', how: 'rst' });
  }
  await watch.expectNone();
  late.check();
  late.stop();
});

test('the answer says 504, in time', async () => {
  upstream.use({ fault: 'slow', ms: 60_000 });
  const { response, ms } = await clientThatHangsUp(app, { path: '/api/data' });
  expect(response).toMatchObject({ status: 504, complete: true });
  expect(ms.ended).toBeLessThan(2000);
});
