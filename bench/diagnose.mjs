// What diagnose() costs: CPU time for each request of an Express app that calls an upstream by http-proxy-middleware, fetch or
// node:http, without diagnose(), and with it as in production and as in development.
//
//   npm run build && node bench/diagnose.mjs [rounds] [requests of a round] [--quick] [--only HPM|fetch|node:http] [--processes 3] [--node <path>]
//
// Two processes that do the same are up to a tenth apart, because V8 optimises each a little differently. So one process takes
// the variants of diagnose() in turns: what its channels bring is passed on to nobody ("empty listeners"), to diagnose() as in
// production, or to diagnose() as in development, which differs by `where`. "empty listeners, again" is the control: how far its
// factor is from 1 is the error of the two below it. What the empty listeners cost is Node's and undici's own price for having
// a subscriber. It is measured beside a process without listeners, and is only as exact as processes are alike.
import http from 'node:http';
import { once } from 'node:events';
import { readCommandLine } from './lib/command-line.mjs';
import { startProcess } from './lib/measured-process.mjs';
import { machine, table, versionOf } from './lib/report.mjs';
import { mean, median, quantile } from './lib/statistics.mjs';

const SERVER = new URL('./calling-server.mjs', import.meta.url).pathname;
const LOAD = new URL('./lib/load-process.mjs', import.meta.url).pathname;
const CLIENTS = { HPM: 'HPM 4 with hangupProxy()', fetch: 'global fetch', 'node:http': 'node:http' };
/** By name: to whom a server passes messages on. */
const VARIANTS = {
  'empty listeners': 'nobody',
  'empty listeners, again': 'nobody',
  'diagnose(), production': 'production',
  'diagnose(), development': 'development',
};
const BARE = 'no listeners';
const NAMES = [BARE, ...Object.keys(VARIANTS)];
const BASE = 'empty listeners';
const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const CONNECTIONS = 10;

const { quick, json, only, node, processes, positionals } = readCommandLine(
  { only: { type: 'string' }, processes: { type: 'string' } },
  { allowPositionals: true },
);
const [rounds = quick ? 1 : 60, requests = quick ? 20 : 300] = positionals.map(Number);
const warmUp = quick ? 20 : 2000;
const copies = Number(processes ?? (quick ? 1 : 3));
if (only !== undefined && !(only in CLIENTS))
  throw new RangeError(`--only is "${only}", but must be one of ${Object.keys(CLIENTS).join(', ')}.`);

const upstream = http.createServer((_req, res) => res.end('{"id":7,"name":"Ada"}'));
upstream.keepAliveTimeout = 600_000;
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const target = `http://127.0.0.1:${upstream.address().port}`;
const load = await startProcess(LOAD);

const results = [];
for (const path of node) {
  for (const [client, subject] of Object.entries(CLIENTS)) {
    if (only !== undefined && only !== client) continue;
    const measured = [];
    for (let copy = 0; copy < copies; copy++) measured.push(await measure(path, subject));
    for (const variant of NAMES)
      results.push({ node: versionOf(path), client, variant, ...summary(measured, variant) });
  }
}
await load.stop();
upstream.close().closeAllConnections();
if (json) console.log(JSON.stringify(results, undefined, 2));
else print();

/** Microseconds for each request, one figure for each round, by variant. */
async function measure(path, subject) {
  const start = (env) =>
    startProcess(SERVER, { node: path, args: [subject], env: { BENCH_UPSTREAM: target, ...env } });
  const bare = await start({});
  const listening = await start({ BENCH_LISTENERS: '1' });
  const serverOf = (name) => (name in VARIANTS ? listening : bare);
  const send = async (name, count) => {
    const server = serverOf(name);
    await server.call('listen', VARIANTS[name] ?? 'nobody');
    await load.call('run', {
      port: server.port,
      requests: count,
      connections: CONNECTIONS,
      request: REQUEST,
    });
  };
  const times = Object.fromEntries(NAMES.map((name) => [name, []]));
  // Both get as many requests as the other: the longer a process has run, the better its code is.
  const turns = [BARE, BARE, BARE, BARE, ...Object.keys(VARIANTS)];
  try {
    for (const name of turns) await send(name, warmUp);
    for (let round = 0; round < rounds; round++) {
      for (const name of turned(turns, round)) {
        const before = await serverOf(name).cpu();
        await send(name, requests);
        times[name].push(((await serverOf(name).cpu()) - before) / requests);
      }
    }
    for (const { port } of [bare, listening]) await load.call('close', { port });
    return times;
  } finally {
    await bare.stop();
    await listening.stop();
  }
}

/** Each comes first equally often, and forwards and backwards alternate. */
function turned(names, round) {
  const start = Math.floor(round / 2) % names.length;
  const order = [...names.slice(start), ...names.slice(0, start)];
  return round % 2 === 0 ? order : order.reverse();
}

function summary(measured, name) {
  // What else runs on a machine can only add to a round: a quarter of them is left in peace.
  const low = (times, variant) => quantile(times[variant], 0.25);
  const factors = measured.map((times) => low(times, name) / low(times, BASE));
  return {
    micros: mean(measured.map((times) => low(times, name))),
    extraMicros: mean(measured.map((times) => low(times, name) - low(times, BASE))),
    factor: mean(factors),
    least: Math.min(...factors),
    most: Math.max(...factors),
    // The other process has four turns in a round.
    pairedFactor: name === BARE ? undefined : pairedFactor(measured, name),
  };
}

function pairedFactor(measured, name) {
  return median(measured.flatMap((times) => times[name].map((time, round) => time / times[BASE][round])));
}

function print() {
  console.log(machine());
  for (const version of new Set(results.map((result) => result.node))) {
    console.log(
      `\nNode ${version}, ${copies} pairs of processes, ${rounds} rounds of ${requests} requests in each\n`,
    );
    const rows = results.filter((result) => result.node === version);
    console.log(
      table(
        [
          'client',
          'variant',
          'µs for a request',
          'more, µs',
          'factor (by process)',
          'factor by pairs of rounds',
        ],
        rows.map((row) => [
          row.client,
          row.variant,
          row.micros.toFixed(0),
          row.extraMicros.toFixed(1),
          `${row.factor.toFixed(3)} (${row.least.toFixed(3)} to ${row.most.toFixed(3)})`,
          row.pairedFactor?.toFixed(3) ?? '',
        ]),
      ),
    );
  }
}
