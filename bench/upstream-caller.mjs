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
const dispatcher = new Pool(origin);
const users = upstream(origin);
const req = await openRequest();
const headers = { 'X-Request-Timeout-Ms': '9990' };

// With a signal and a header: what a careful handler writes by hand, and what upstream() does for a request.
const ways = {
  'undici request': async () => (await request(url, { dispatcher })).body.text(),
  'undici request, a signal and a header': async () =>
    (await request(url, { dispatcher, signal: new AbortController().signal, headers })).body.text(),
  'upstream().request(null)': async () => (await users.request(null, PATH)).body.text(),
  'upstream().request(req)': async () => (await users.request(req, PATH)).body.text(),
  'undici fetch': async () => (await fetch(url, { dispatcher })).text(),
  'undici fetch, a signal and a header': async () =>
    (await fetch(url, { dispatcher, signal: new AbortController().signal, headers })).text(),
  'upstream().fetch(null)': async () => (await users.fetch(null, PATH)).text(),
  'upstream().fetch(req)': async () => (await users.fetch(req, PATH)).text(),
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
