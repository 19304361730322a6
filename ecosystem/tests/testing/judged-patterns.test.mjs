// Apps that put something between a request and its call: a breaker, a limiter, a cache, a queue, a second call. A right one
// has no wrong cell, and one that lets its calls run on is told.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import CircuitBreaker from 'opossum';
import PQueue from 'p-queue';
import apicache from 'apicache';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { conformance, faultyUpstream } from 'express-hangup/testing';

const DEADLINE = 500;

let upstream;
before(async () => (upstream = await faultyUpstream()));
after(() => upstream.close());

async function load(signal) {
  const response = await fetch(upstream.url, { signal });
  return response.json();
}

/** Aborts when the client leaves and when the deadline passes. */
function endOf(res) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error('deadline')), DEADLINE);
  res.on('close', () => {
    clearTimeout(timer);
    controller.abort(new Error('client'));
  });
  return controller.signal;
}

/** Starts a second call if the first has not answered soon; the first answer counts, and ends the other call. */
async function hedged(signal, call) {
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  let timer;
  const second = new Promise((resolve, reject) => {
    timer = setTimeout(() => call(either).then(resolve, reject), 100);
  });
  try {
    return await Promise.race([call(either), second]);
  } finally {
    clearTimeout(timer);
    second.catch(() => {});
    ended.abort();
  }
}

/** Each pattern: what is mounted before the route, and how the route calls by `call(signal)`. */
const PATTERNS = {
  'opossum, a breaker by percentage': () => {
    const breaker = new CircuitBreaker((call, signal) => call(signal), {
      ...{ timeout: false, resetTimeout: 1000, rollingCountTimeout: 2000 },
      errorFilter: (error) => error.message === 'client',
    });
    return { ask: (signal, call) => breaker.fire(call, signal), close: () => breaker.shutdown() };
  },
  'express-rate-limit': () => ({
    mounted: [rateLimit({ windowMs: 60_000, limit: 1000, validate: false })],
    ask: (signal, call) => call(signal),
  }),
  apicache: () => {
    const cache = apicache.newInstance({ statusCodes: { include: [200] } });
    return {
      mounted: [cache.middleware('5 seconds')],
      ask: (signal, call) => call(signal),
      // Its entries keep timers, which keep the process.
      close: () => cache.clear(),
    };
  },
  'p-queue': () => {
    const queue = new PQueue({ concurrency: 4 });
    return { ask: (signal, call) => queue.add(() => call(signal), { signal }) };
  },
  'hedged calls': () => ({ ask: hedged }),
};

function appFor({ mounted = [], ask }, call) {
  const app = express();
  if (mounted.length > 0) app.use(...mounted);
  app.get('/data/:n', async (_req, res) => {
    const signal = endOf(res);
    // Ends the wait, whatever becomes of the call.
    const over = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    try {
      res.json(await Promise.race([ask(signal, call), over]));
    } catch (error) {
      if (res.destroyed || res.headersSent) return;
      res.sendStatus(error.code === 'EOPENBREAKER' ? 503 : signal.aborted ? 504 : 502);
    }
  });
  return app;
}

/** What is wrong with the app, by fault and client. */
async function judge(pattern, call, faults) {
  const app = appFor(pattern, call);
  const { cells } = await conformance(app, {
    ...{ upstream, route: '/data/{n}', methods: ['GET'], deadline: DEADLINE, faults },
  });
  pattern.close?.();
  return cells
    .filter(({ verdict }) => verdict === 'wrong')
    .map(({ fault, client, why }) => `${fault}, ${client}: ${why}`);
}

for (const [name, newPattern] of Object.entries(PATTERNS)) {
  test(`${name}: an app that ends its calls has no wrong cell`, async () => {
    assert.deepEqual(await judge(newPattern(), load, ['ok', 'hang', 'reset', 'garbage']), []);
  });

  test(`${name}: an app that answers in time and lets its calls run on is told`, async () => {
    const wrong = await judge(newPattern(), () => load(undefined), ['hang']);
    assert.match(wrong.join(), /hang, leaves-fin: the call to the upstream was never ended/);
  });
}
