// The seeds of a retry storm: what an upstream in trouble sees of the same calls through upstream(), axios-retry, got and
// undici's RetryAgent, each with its own defaults, and how many of the calls fail in the end. The callers are patient for
// two seconds, as a request with a deadline is. Each client has an upstream to itself; all run side by side.
//
//   npm run build && node bench/retry-storm.mjs [--quick]
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import axios from 'axios';
import axiosRetry from 'axios-retry';
import got from 'got';
import { Agent, fetch, RetryAgent } from 'undici';
import { upstream } from 'express-hangup/upstream';

const quick = process.argv.includes('--quick');
const CALLS = quick ? 40 : 400;
const CALLS_PER_SECOND = 200;
const PATIENCE_MS = quick ? 500 : 2000;

const answers = {
  ok: (req, res) => res.end('{}'),
  unavailable: (req, res) => res.writeHead(503).end(),
  reset: (req) => req.socket.resetAndDestroy(),
};

/** How an upstream answers: `n` counts its requests, `atOnce` those of the last 100 ms. */
const troubles = {
  'down: 503 to all': () => answers.unavailable,
  'down: resets all': () => answers.reset,
  '503 to every other request': ({ n }) => (n % 2 ? answers.unavailable : answers.ok),
  'overloaded: 503 beyond 15 requests in 100 ms': ({ atOnce }) =>
    atOnce > 15 ? answers.unavailable : answers.ok,
  'POSTs: reset after they were carried out': () => answers.reset,
};

/** Each makes a function that calls an origin and throws where the call has failed. */
const clients = {
  'upstream()': (origin) => {
    const users = upstream(origin);
    return async (path, method, signal) => {
      const response = await users.fetch(null, path, { method, signal });
      await response.text();
      if (!response.ok) throw new Error(String(response.status));
    };
  },
  'axios-retry': (origin) => {
    const client = axios.create({ baseURL: origin, httpAgent: new http.Agent({ keepAlive: true }) });
    axiosRetry(client);
    return (path, method, signal) => client.request({ url: path, method, signal });
  },
  got: (origin) => {
    const client = got.extend({ prefixUrl: origin, agent: { http: new http.Agent({ keepAlive: true }) } });
    return (path, method, signal) => client(path.slice(1), { method, signal });
  },
  "undici's RetryAgent": (origin) => {
    const dispatcher = new RetryAgent(new Agent());
    return async (path, method, signal) => {
      const response = await fetch(origin + path, { method, signal, dispatcher });
      await response.text();
      if (!response.ok) throw new Error(String(response.status));
    };
  },
};

for (const [trouble, choose] of Object.entries(troubles)) {
  const method = trouble.startsWith('POSTs') ? 'POST' : 'GET';
  const rows = await Promise.all(
    Object.entries(clients).map(async ([name, makeClient]) => ({
      client: name,
      ...(await measure(makeClient, choose, method)),
    })),
  );
  console.log(`\nUpstream ${trouble}; ${CALLS} calls, ${CALLS_PER_SECOND} a second`);
  console.table(rows);
}
process.exit();

async function measure(makeClient, choose, method) {
  const hits = [];
  const perId = new Map();
  const server = http.createServer((req, res) => {
    const now = performance.now();
    hits.push(now);
    perId.set(req.url, (perId.get(req.url) ?? 0) + 1);
    req.resume();
    choose({ n: hits.length, atOnce: hits.filter((at) => at > now - 100).length })(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const call = makeClient(`http://127.0.0.1:${server.address().port}`);
  let failed = 0;
  const results = [];
  for (let id = 0; id < CALLS; id++) {
    results.push(call(`/${id}`, method, AbortSignal.timeout(PATIENCE_MS)).catch(() => failed++));
    await sleep(1000 / CALLS_PER_SECOND);
  }
  await Promise.all(results);
  server.closeAllConnections();
  server.close();
  return {
    'hits per call': Number((hits.length / CALLS).toFixed(2)),
    'most hits in 100 ms': most(hits),
    'most hits of one call': Math.max(...perId.values()),
    'calls that failed': `${((100 * failed) / CALLS).toFixed(0)} %`,
  };
}

/** The most that lie within 100 ms of each other. */
function most(times) {
  let first = 0;
  let found = 0;
  times.forEach((time, last) => {
    while (times[first] < time - 100) first += 1;
    found = Math.max(found, last - first + 1);
  });
  return found;
}
