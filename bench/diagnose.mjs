// What diagnose() costs: CPU time for each request of an Express app that calls an upstream by http-proxy-middleware, fetch or
// node:http, with diagnose() and without, in production and in development.
//
//   npm run build && node bench/diagnose.mjs [rounds] [requests of a round] [--quick] [--only HPM|fetch|node:http] [--processes 3] [--node <path>]
//
// Each variant runs in several processes, because V8 optimises each process a little differently. All take turns. "without, again"
// is the same as "without": how far its factor is from 1 is the error of all the others. "empty listeners" subscribes to the
// same channels as diagnose() and does nothing with their messages: that price is Node's and undici's own.
import http from 'node:http';
import { once } from 'node:events';
import { readCommandLine } from './lib/command-line.mjs';
import { startProcess } from './lib/measured-process.mjs';
import { machine, table, versionOf } from './lib/report.mjs';
import { measureRounds } from './lib/rounds.mjs';
import { mean, median, quantile } from './lib/statistics.mjs';

const SERVER = new URL('./calling-server.mjs', import.meta.url).pathname;
const LOAD = new URL('./lib/load-process.mjs', import.meta.url).pathname;
const CLIENTS = { HPM: 'HPM 4 with hangupProxy()', fetch: 'global fetch', 'node:http': 'node:http' };
/** By name: the environment, and the variant that it is compared with. */
const VARIANTS = {
  without: { env: {}, base: 'without' },
  'without, again': { env: {}, base: 'without' },
  'empty listeners': { env: { BENCH_DIAGNOSE: 'empty' }, base: 'without' },
  'diagnose(), production': { env: { BENCH_DIAGNOSE: 'on' }, base: 'without' },
  'without, development': { env: { NODE_ENV: 'development' }, base: 'without, development' },
  'diagnose(), development': {
    env: { NODE_ENV: 'development', BENCH_DIAGNOSE: 'on' },
    base: 'without, development',
  },
};

const { quick, json, only, node, processes, positionals } = readCommandLine(
  { only: { type: 'string' }, processes: { type: 'string' } },
  { allowPositionals: true },
);
const [rounds = quick ? 1 : 20, requests = quick ? 20 : 400] = positionals.map(Number);
const plan = {
  rounds,
  requests,
  warmUp: quick ? 20 : 4000,
  processes: Number(processes ?? (quick ? 1 : 3)),
  connections: 10,
  request: 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
};
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
    const measured = await measure(path, subject);
    for (const name of Object.keys(VARIANTS))
      results.push({ node: versionOf(path), client, variant: name, ...summary(measured, name) });
  }
}
await load.stop();
upstream.close().closeAllConnections();
if (json) console.log(JSON.stringify(results, undefined, 2));
else print();

/** Microseconds for each request, one figure for each round, by `<variant> #<process>`. */
async function measure(path, subject) {
  const servers = {};
  for (let copy = 1; copy <= plan.processes; copy++) {
    for (const [name, { env }] of Object.entries(VARIANTS)) {
      servers[`${name} #${copy}`] = await startProcess(SERVER, {
        node: path,
        args: [subject],
        env: { BENCH_UPSTREAM: target, ...env },
      });
    }
  }
  try {
    return await measureRounds({ servers, load, ...plan });
  } finally {
    for (const server of Object.values(servers)) await server.stop();
  }
}

function summary(measured, name) {
  const { base } = VARIANTS[name];
  const copies = Array.from({ length: plan.processes }, (_, at) => at + 1);
  const roundsOf = (variant) => copies.map((copy) => measured[`${variant} #${copy}`]);
  // What else runs on a machine can only add to a round: a quarter of them is left in peace.
  const lows = (variant) => roundsOf(variant).map((times) => quantile(times, 0.25));
  const pairs = roundsOf(name).flatMap((times, copy) =>
    times.map((time, round) => time / roundsOf(base)[copy][round]),
  );
  return {
    micros: mean(lows(name)),
    leastMicros: Math.min(...lows(name)),
    mostMicros: Math.max(...lows(name)),
    extraMicros: mean(lows(name)) - mean(lows(base)),
    factor: mean(lows(name)) / mean(lows(base)),
    pairedFactor: median(pairs),
  };
}

function print() {
  console.log(machine());
  for (const version of new Set(results.map((result) => result.node))) {
    console.log(
      `\nNode ${version}, ${plan.processes} processes each, ${rounds} rounds of ${requests} requests\n`,
    );
    const rows = results.filter((result) => result.node === version);
    console.log(
      table(
        [
          'client',
          'variant',
          'µs for a request (process by process)',
          'more, µs',
          'factor',
          'by pairs of rounds',
        ],
        rows.map((row) => [
          row.client,
          row.variant,
          `${row.micros.toFixed(0)} (${row.leastMicros.toFixed(0)} to ${row.mostMicros.toFixed(0)})`,
          row.extraMicros.toFixed(1),
          row.factor.toFixed(3),
          row.pairedFactor.toFixed(3),
        ]),
      ),
    );
  }
}
