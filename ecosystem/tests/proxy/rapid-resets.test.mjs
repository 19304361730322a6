// A client of HTTP/2 that opens streams and resets them ("rapid reset", CVE-2023-44487), in front of an upstream that does not
// answer them: the upstream's connections end with the streams, nothing is left of them, and others are served meanwhile.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { hangupProxy } from 'express-hangup/proxy';
import { upstream } from 'express-hangup/upstream';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { serve, uncaught } from '../core/wire.mjs';
import { countLifetimes, untilCollected } from '../lifetimes.mjs';

const SESSIONS = 10;
const STREAMS = 200;
const A_FEW = 5;

/** What answers a request by a call to the upstream. */
const CALLERS = {
  'hangupProxy()': (target) => {
    const proxy = createProxyMiddleware(hangupProxy({ target }));
    return { handle: (req, res, next) => proxy(req, res, next) };
  },
  'upstream().fetch()': (target) => {
    const client = upstream(target);
    return {
      handle: async (req, res) => res.end(await (await client.fetch(req, req.url)).text()),
      close: () => client.close(),
    };
  },
  'upstream().request()': (target) => {
    const client = upstream(target);
    return {
      handle: async (req, res) => res.end(await (await client.request(req, req.url)).body.text()),
      close: () => client.close(),
    };
  },
};

/** Answers /other, and nothing else; tells of each request that it has come, and counts what is open. */
async function silentUpstream(t) {
  const arrivals = new Map();
  const sockets = new Set();
  const seen = { arrived: 0, departed: 0 };
  const { port, server } = await serve(
    t,
    http.createServer((req, res) => {
      if (req.url === '/other') return res.end('served');
      seen.arrived += 1;
      res.on('close', () => (seen.departed += 1));
      arrivals.get(req.url)?.();
    }),
  );
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  const arrival = (path) => new Promise((resolve) => arrivals.set(path, resolve));
  return { target: `http://127.0.0.1:${port}`, seen, sockets, arrival };
}

/** Serves HTTP/2 with `hangup()` before the handler. */
async function overHttp2(t, handle) {
  const guard = hangup({ deadline: 60_000, context: true });
  const onError = gatewayErrorHandler();
  const server = http2.createServer((req, res) => {
    const answer = (error) => onError(error, req, res, () => res.destroy());
    guard(req, res, async (error) => {
      if (error !== undefined) return answer(error);
      try {
        await handle(req, res, answer);
      } catch (thrown) {
        answer(thrown);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

/** Every second stream is reset as soon as it is open, the others when the upstream has got their request. */
async function openAndReset(session, paths, arrival) {
  await Promise.all(
    paths.map(async (path, i) => {
      const isLate = i % 2 === 0;
      const due = isLate ? arrival(path) : new Promise(setImmediate);
      const stream = session.request({ ':path': path }).on('error', () => {});
      const closed = once(stream, 'close');
      await due;
      stream.close(http2.constants.NGHTTP2_CANCEL);
      await closed;
    }),
  );
}

async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

for (const [name, makeCaller] of Object.entries(CALLERS)) {
  test(`${SESSIONS * STREAMS} streams that are reset leave nothing of ${name} behind, and others are served`, async (t) => {
    const errors = uncaught(t);
    const lifetimes = countLifetimes(t);
    const { target, seen, sockets, arrival } = await silentUpstream(t);
    const caller = makeCaller(target);
    const url = await overHttp2(t, caller.handle);
    const others = http2.connect(url);

    for (let n = 0; n < SESSIONS; n += 1) {
      const session = http2.connect(url);
      await once(session, 'connect');
      const paths = Array.from({ length: STREAMS }, (_, i) => `/${n}/${i}`);
      const resets = openAndReset(session, paths, arrival);
      assert.equal(await text(others.request({ ':path': '/other' })), 'served');
      await resets;
      session.close();
      await once(session, 'close');
    }
    others.close();
    await once(others, 'close');

    assert.ok(seen.arrived >= (SESSIONS * STREAMS) / 2);
    await until(() => seen.departed === seen.arrived);
    await caller.close?.();
    // hangupProxy() closes idle connections by itself.
    await until(() => sockets.size === 0);
    // With fetch on Node 20 a single one stays, whatever the number of streams: undici has one timer for all of its timeouts,
    // and Node keeps with it the async context of the request that started it.
    await untilCollected(lifetimes, A_FEW);
    assert.deepEqual(errors, []);
  });
}
