// Whatever takes a signal ends with req.signal as it does with AbortSignal.timeout().
import assert from 'node:assert/strict';
import { exec, spawn } from 'node:child_process';
import { EventEmitter, on, once } from 'node:events';
import http from 'node:http';
import { PassThrough, addAbortSignal, promises as streams } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep, setInterval as ticks } from 'node:timers/promises';
import { promisify } from 'node:util';
import axios from 'axios';
import { hangup } from 'express-hangup';
import got from 'got';
import ky from 'ky';
import nodeFetch from 'node-fetch';
import * as undici from 'undici';
import { expresses, serve } from './wire.mjs';

/** Each begins what would never end, and rejects when the signal aborts. */
const TAKERS = {
  fetch: (signal, url) => fetch(url, { signal }),
  'fetch of a Request': (signal, url) => fetch(new globalThis.Request(url, { signal })),
  'AbortSignal.any': (signal, url) =>
    fetch(url, { signal: AbortSignal.any([signal, new AbortController().signal]) }),
  'undici.fetch': (signal, url) => undici.fetch(url, { signal }),
  'undici.request': (signal, url) => undici.request(url, { signal }),
  'undici.stream': (signal, url) => undici.stream(url, { signal }, () => new PassThrough()),
  axios: (signal, url) => axios.get(url, { signal }),
  got: (signal, url) => got(url, { signal, retry: { limit: 0 } }),
  ky: (signal, url) => ky(url, { signal, retry: 0, timeout: false }),
  'node-fetch': (signal, url) => nodeFetch(url, { signal }),
  'http.get': (signal, url) => failing(http.get(url, { signal })),
  'timers/promises': (signal) => sleep(60_000, undefined, { signal }),
  'an interval': async (signal) => {
    const turns = ticks(10, undefined, { signal });
    while (!(await turns.next()).done);
  },
  'events.once': (signal) => once(new EventEmitter(), 'never', { signal }),
  'events.on': async (signal) => {
    for await (const event of on(new EventEmitter(), 'never', { signal })) assert.fail(String(event));
  },
  exec: (signal) => promisify(exec)('sleep 60', { signal }),
  spawn: (signal) => failing(spawn('sleep', ['60'], { signal })),
  addAbortSignal: (signal) => failing(addAbortSignal(signal, new PassThrough())),
  pipeline: (signal) => streams.pipeline(new PassThrough(), new PassThrough(), { signal }),
  pipeTo: (signal) => new globalThis.ReadableStream().pipeTo(new globalThis.WritableStream(), { signal }),
  throwIfAborted: async (signal) => {
    await new Promise((resolve) => (signal.onabort = resolve));
    signal.throwIfAborted();
  },
};

function failing(emitter) {
  return new Promise((_resolve, reject) => void emitter.on('error', reject));
}

/** How it ended: by the signal's reason itself, or by an error of its own, which may have the reason as its cause. */
async function endOf(take, signal, url) {
  try {
    await take(signal, url);
    return 'no error';
  } catch (error) {
    const { reason } = signal;
    if (error === reason) return 'the reason';
    const code = error.code === reason.code ? 'with its code' : error.code;
    return `${error.name} ${code}${error.cause === reason ? ', of the reason' : ''}`;
  }
}

for (const [version, express] of expresses) {
  test(`whatever takes a signal ends on ${version} with req.signal as with AbortSignal.timeout()`, async (t) => {
    const silent = await serve(
      t,
      http.createServer(() => undefined),
    );
    const url = `http://127.0.0.1:${silent.port}/`;
    const app = express();
    app.set('env', 'test');
    app.use(hangup({ deadline: 100 }));
    const ended = new Map();
    app.get('/:name', (req) => {
      const take = TAKERS[req.params.name];
      const plain = AbortSignal.timeout(100);
      ended.set(req.params.name, Promise.all([req.signal, plain].map((signal) => endOf(take, signal, url))));
    });
    // eslint-disable-next-line no-unused-vars -- by their number Express knows error handlers
    app.use((_error, _req, res, _next) => void res.status(504).end());
    const { port } = await serve(t, app);
    for (const name of Object.keys(TAKERS)) {
      const { status } = await fetch(`http://127.0.0.1:${port}/${encodeURIComponent(name)}`);
      const [ours, plain] = await ended.get(name);
      assert.notEqual(plain, 'no error', name);
      assert.deepEqual([status, ours], [504, plain], name);
    }
  });
}
