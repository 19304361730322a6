// The process of bench/upstream-overhead.mjs that makes the calls: `BENCH_UPSTREAM=<origin> node upstream-caller.mjs`.
import { once } from 'node:events';
import http from 'node:http';
import { hangup } from 'express-hangup';
import { upstream } from 'express-hangup/upstream';
import { fetch, Pool, request } from 'undici';
import { answer } from './lib/commands.mjs';

const AT_ONCE = 8;
const PATH = '/v1/users/7';

const origin = process.env.BENCH_UPSTREAM;
const url = origin + PATH;
// As in an app, where a request makes a call or two: those of one request do not come by the thousand.
const requests = await Promise.all(Array.from({ length: 64 }, openRequest));
const headers = { 'X-Request-Timeout-Ms': '9990' };

/** Sockets of its own for each way: the first calls on sockets that have rested cost more, and some would come after others. */
const ways = {
  'undici request': undiciRequest({ dispatcher: new Pool(origin) }),
  // With a signal and a header: what a careful handler writes by hand, and what upstream() does for a request.
  'undici request, a signal and a header': undiciRequest({ dispatcher: new Pool(origin), headers }, true),
  'upstream().request(null)': ourRequest(upstream(origin), [null]),
  'upstream().request(req)': ourRequest(upstream(origin), requests),
  'undici fetch': undiciFetch({ dispatcher: new Pool(origin) }),
  'undici fetch, a signal and a header': undiciFetch({ dispatcher: new Pool(origin), headers }, true),
  'upstream().fetch(null)': ourFetch(upstream(origin), [null]),
  'upstream().fetch(req)': ourFetch(upstream(origin), requests),
};

answer({}, { run, cpuPerCall });

async function run({ name, calls }) {
  let left = calls;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await ways[name]();
    }),
  );
}

async function cpuPerCall({ name, calls }) {
  const before = process.cpuUsage();
  await run({ name, calls });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

function undiciRequest({ dispatcher, headers: sent }, hasSignal = false) {
  if (!hasSignal) return async () => (await request(url, { dispatcher })).body.text();
  return async () =>
    (await request(url, { dispatcher, signal: new AbortController().signal, headers: sent })).body.text();
}

function undiciFetch({ dispatcher, headers: sent }, hasSignal = false) {
  if (!hasSignal) return async () => (await fetch(url, { dispatcher })).text();
  return async () =>
    (await fetch(url, { dispatcher, signal: new AbortController().signal, headers: sent })).text();
}

function ourRequest(users, from) {
  let calls = 0;
  return async () => (await users.request(from[calls++ % from.length], PATH)).body.text();
}

function ourFetch(users, from) {
  let calls = 0;
  return async () => (await users.fetch(from[calls++ % from.length], PATH)).text();
}

/** A request under hangup(), which stays open while it is measured. */
async function openRequest() {
  const attach = hangup({ deadline: 600_000 });
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = http.get({ port: server.address().port, host: '127.0.0.1' });
  client.on('error', () => undefined);
  const [opened, res] = await once(server, 'request');
  opened.res = res;
  attach(opened, res, () => undefined);
  return opened;
}
