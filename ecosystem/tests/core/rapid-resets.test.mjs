// A client of HTTP/2 that opens streams and resets them at once, as the "rapid reset" attack does: nothing is left of them.
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import http2 from 'node:http2';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gatewayErrorHandler, hangup } from 'express-hangup';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
const SESSIONS = 8;
const STREAMS = 250;

test(`${SESSIONS * STREAMS} streams that are reset at once: each handler learns of it, and no lifetime stays`, async (t) => {
  const lifetimes = new Set();
  const hook = createHook({
    init: (id, type) => type === 'express-hangup' && lifetimes.add(id),
    destroy: (id) => lifetimes.delete(id),
  }).enable();
  t.after(() => hook.disable());
  const reasons = { CLIENT_CLOSED_REQUEST: 0 };
  let waiting = 0;
  const guard = hangup({ deadline: 60_000, context: true });
  const onError = gatewayErrorHandler();
  const server = http2.createServer((req, res) => {
    guard(req, res, (error) => {
      if (error !== undefined) return onError(error, req, res, () => res.destroy());
      waiting += 1;
      // Some handlers have begun to answer.
      if (waiting % 2 === 0) res.write('begun');
      req.signal.addEventListener('abort', () => {
        reasons[req.signal.reason.code] += 1;
        waiting -= 1;
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  for (let i = 0; i < SESSIONS; i += 1) {
    const session = http2.connect(`http://127.0.0.1:${server.address().port}`);
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
  // Node calls the hook when a lifetime has been garbage-collected: no timer, listener or list holds it.
  while (lifetimes.size > 0) {
    gc();
    await new Promise(setImmediate);
  }
});
