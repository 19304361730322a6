// What a call through upstream() costs over undici's fetch with the same pool: CPU time of this process for a small GET,
// the upstream being another process. All variants take turns, so that a busy machine is unfair to all alike.
//
//   npm run build && node bench/upstream-overhead.mjs [--quick]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { hangup } from 'express-hangup';
import { upstream } from 'express-hangup/upstream';
import { fetch, Pool } from 'undici';

const AT_ONCE = 8;
const quick = process.argv.includes('--quick');

if (process.argv[2] === 'serve') {
  const server = http.createServer((req, res) => res.end('{"id":7,"name":"Ada"}'));
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
} else {
  await (quick ? compare(100, 5) : compare(150, 150));
}

async function compare(calls, turns) {
  const child = fork(fileURLToPath(import.meta.url), ['serve']);
  const [port] = await once(child, 'message');
  const origin = `http://127.0.0.1:${port}`;
  const url = `${origin}/v1/users/7`;
  const pool = new Pool(origin);
  const users = upstream(origin);
  const { req, end } = await openRequest();

  const plain = 'undici fetch';
  const alike = 'undici fetch with a signal and a header';
  const headers = { 'X-Request-Timeout-Ms': '9990' };
  const variants = {
    [plain]: { call: () => fetch(url, { dispatcher: pool }), against: plain },
    'upstream().fetch(null, …)': { call: () => users.fetch(null, '/v1/users/7'), against: plain },
    // What a careful handler writes by hand, and what upstream() does for a request.
    [alike]: {
      call: () => fetch(url, { dispatcher: pool, signal: new AbortController().signal, headers }),
      against: plain,
    },
    'upstream().fetch(req, …)': { call: () => users.fetch(req, '/v1/users/7'), against: alike },
  };
  const costs = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
  for (let turn = -10; turn < turns; turn++) {
    for (const [name, { call }] of Object.entries(variants)) {
      const cost = await cpuPerCall(call, calls);
      if (turn >= 0) costs[name].push(cost);
    }
  }
  console.log(
    `Node ${process.version}, ${turns} turns of ${calls} calls, ${AT_ONCE} at a time; CPU µs per call`,
  );
  const quartile = Object.fromEntries(
    Object.entries(costs).map(([name, cost]) => [name, lowerQuartile(cost)]),
  );
  console.table(
    Object.entries(variants).map(([name, { against }]) => ({
      name,
      'lower quartile': Number(quartile[name].toFixed(1)),
      ratio: Number((quartile[name] / quartile[against]).toFixed(3)),
      against,
    })),
  );
  end();
  child.kill();
  await Promise.all([users.close(), pool.close()]);
}

async function cpuPerCall(call, calls) {
  const before = process.cpuUsage();
  let left = calls;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await (await call()).text();
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

/** A request under hangup(), which stays open while it is measured. */
async function openRequest() {
  const attach = hangup({ deadline: 600_000 });
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = http.get({ port: server.address().port, host: '127.0.0.1' });
  const [req, res] = await once(server, 'request');
  req.res = res;
  attach(req, res, () => undefined);
  return {
    req,
    end() {
      client.on('error', () => undefined).destroy();
      server.close();
    },
  };
}

/** Of many short turns: what is measured while a neighbour has the machine is above it. */
function lowerQuartile(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 4)];
}
