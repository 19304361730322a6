// A client of HTTP/2 that opens streams and resets them at once, as the "rapid reset" attack does: nothing is left of them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { countLifetimes, untilCollected } from '../lifetimes.mjs';
import { TEST_CA, TEST_CERTIFICATES, TEST_KEY } from '../test-certificates.mjs';

const require = createRequire(import.meta.url);
const SESSIONS = 8;
const STREAMS = 250;
const TLS = { key: TEST_KEY, cert: TEST_CERTIFICATES.trusted };
const guard = hangup({ deadline: 60_000, context: true });

const SERVERS = {
  'a server without Express': (handle) => {
    const onError = gatewayErrorHandler();
    return http2.createSecureServer(TLS, (req, res) => {
      guard(req, res, (error) => {
        if (error === undefined) handle(req, res);
        else onError(error, req, res, () => res.destroy());
      });
    });
  },
  'an app of http2-express-bridge': (handle) => {
    const app = require('http2-express-bridge')(require('express4'));
    app.use(guard, handle, gatewayErrorHandler());
    return http2.createSecureServer(TLS, app);
  },
};

for (const [name, makeServer] of Object.entries(SERVERS)) {
  test(`${SESSIONS * STREAMS} streams that are reset at once: each handler of ${name} learns of it, and no lifetime stays`, async (t) => {
    const lifetimes = countLifetimes(t);
    const reasons = { CLIENT_CLOSED_REQUEST: 0 };
    let waiting = 0;
    const server = makeServer((req, res) => {
      waiting += 1;
      // Some handlers have begun to answer.
      if (waiting % 2 === 0) res.write('begun');
      req.signal.addEventListener('abort', () => {
        reasons[req.signal.reason.code] += 1;
        waiting -= 1;
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    for (let i = 0; i < SESSIONS; i += 1) {
      const session = http2.connect(`https://localhost:${server.address().port}`, {
        ca: TEST_CA,
        host: '127.0.0.1',
      });
      await once(session, 'connect');
      await Promise.all(
        Array.from({ length: STREAMS }, async () => {
          const stream = session.request({ ':path': '/' });
          stream.on('error', () => {});
          const closed = once(stream, 'close');
          setImmediate(() => stream.close(http2.constants.NGHTTP2_CANCEL));
          await closed;
        }),
      );
      session.close();
      await once(session, 'close');
    }
    while (waiting > 0) await new Promise(setImmediate);
    assert.ok(reasons.CLIENT_CLOSED_REQUEST > 0);
    assert.deepEqual(Object.keys(reasons), ['CLIENT_CLOSED_REQUEST']);
    await untilCollected(lifetimes);
  });
}
