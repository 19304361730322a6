// What callers notice when one of three upstreams hangs, resets or answers 503: the share of calls that fail through
// upstream() with a list, beside undici's BalancedPool and a pool for each in turn, all in one run and
// each against three upstreams of its own. Every call may take 500 ms. POSTs are sent once, whatever happens; a GET
// may be sent again by who does that.
//
//   npm run build && node bench/several-origins.mjs [--quick]
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { BalancedPool, Pool } from 'undici';
import { upstream } from 'express-hangup/upstream';
import { readCommandLine } from './lib/command-line.mjs';
import { table } from './lib/report.mjs';

const { quick } = readCommandLine();
const CALLS = quick ? 60 : 2000;
const CALLS_PER_SECOND = 200;
const PATIENCE_MS = quick ? 200 : 500;

const troubles = {
  'answers 503': (req, res) => res.writeHead(503).end(),
  resets: (req) => req.socket.resetAndDestroy(),
  hangs: () => undefined,
};

/** Each makes a function that calls, and gives the status. */
const clients = {
  'upstream([a, b, c])': (origins) => {
    const users = upstream(origins);
    return async (method, signal) => finish(await users.request(null, '/', { method, signal }));
  },
  'upstream([a, b, c]), without outlier detection': (origins) => {
    const users = upstream(origins, { outlierDetection: false });
    return async (method, signal) => finish(await users.request(null, '/', { method, signal }));
  },
  "undici's BalancedPool": (origins) => {
    const pool = new BalancedPool(origins);
    return async (method, signal) => finish(await pool.request({ path: '/', method, signal }));
  },
  'a Pool for each, in turn': (origins) => {
    const pools = origins.map((origin) => new Pool(origin));
    let turn = 0;
    return async (method, signal) =>
      finish(await pools[turn++ % pools.length].request({ path: '/', method, signal }));
  },
};

for (const method of ['POST', 'GET']) {
  for (const [trouble, misbehave] of Object.entries(troubles)) {
    const rows = await Promise.all(
      Object.entries(clients).map(async ([name, makeClient]) => [
        name,
        ...(await measure(makeClient, misbehave, method)),
      ]),
    );
    console.log(`\n${CALLS} ${method}s, ${CALLS_PER_SECOND} a second; one of three upstreams ${trouble}\n`);
    console.log(
      table(['client', 'calls that failed', 'of them in the second half', 'requests at the bad one'], rows),
    );
  }
}
process.exit();

async function finish({ statusCode, body }) {
  await body.dump();
  return statusCode;
}

async function measure(makeClient, misbehave, method) {
  let atTheBadOne = 0;
  const servers = [0, 1, 2].map((n) =>
    http.createServer((req, res) => {
      req.resume();
      if (n === 1) {
        atTheBadOne += 1;
        misbehave(req, res);
      } else setTimeout(() => res.end('{}'), 5);
    }),
  );
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const call = makeClient(servers.map((server) => `http://127.0.0.1:${server.address().port}`));
  const failed = [];
  const calls = [];
  for (let n = 0; n < CALLS; n++) {
    calls.push(
      call(method, AbortSignal.timeout(PATIENCE_MS)).then(
        (status) => status === 200 || failed.push(n),
        () => failed.push(n),
      ),
    );
    await sleep(1000 / CALLS_PER_SECOND);
  }
  await Promise.all(calls);
  for (const server of servers) server.close().closeAllConnections();
  const late = failed.filter((n) => n >= CALLS / 2).length;
  return [percent(failed.length, CALLS), percent(late, CALLS / 2), atTheBadOne];
}

function percent(part, whole) {
  return `${((100 * part) / whole).toFixed(1)} %`;
}
