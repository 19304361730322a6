const { afterAll, beforeAll, expect, test } = require('@jest/globals');
const request = require('supertest');
const { clientThatHangsUp, faultyUpstream } = require('express-hangup/testing');
const { createApp } = require('./app.cjs');

let upstream;
let app;
beforeAll(async () => {
  upstream = await faultyUpstream();
  app = createApp(upstream.url);
});
afterAll(() => upstream.close());

test('a hanging upstream is a 504', async () => {
  upstream.use('hang');
  await request(app).get('/api/data').expect(504);
});

test('an upstream that resets the connection is a 502', async () => {
  upstream.use('reset');
  await request(app).get('/api/data').expect(502);
});

test('a body that is cut off does not look whole', async () => {
  upstream.use('close-body');
  await request(app).get('/api/data').expect(502);
});

test('the call stops when the client leaves', async () => {
  upstream.use('hang');
  const attempt = upstream.nextAttempt();
  await clientThatHangsUp(app, { path: '/api/data', leave: 'after-request', after: attempt });
  expect(await upstream.untilClosed(await attempt)).toMatchObject({ by: 'client' });
});
