// What hangup(), hangupProxy(), diagnose() and propagation cost in instructions of the processor for each request, counted by valgrind.
// A count hardly depends on what else the machine does, as time does: it shows differences that are far below the error of
// bench/core.mjs. It says nothing of what the kernel does, nor of how long an instruction takes.
//
//   npm run build && node bench/instructions.mjs [--quick] [--only core|proxy|diagnose|propagate] [--node <path>]    needs valgrind
//   [--rows <part of their names>] [--warm-up <requests>] [--windows <number>] [--requests <in each window>] [--at-once 1|2]
//
// Counted are several windows of requests, after a warm-up. The median leaves out the windows with a full garbage collection
// in them, the mean does not. V8 compiles while it runs: two counts of the same thing are 1 to 2 % apart. Under valgrind a server
// answers 50 to 100 requests that call an upstream in a second: --warm-up 2000 --requests 250 takes a minute for each row.
import { once } from 'node:events';
import http from 'node:http';
import { readCommandLine } from './lib/command-line.mjs';
import { countInstructions, needValgrind } from './lib/instructions.mjs';
import { startProcess } from './lib/measured-process.mjs';
import { table, versionOf } from './lib/report.mjs';
import { mean, median } from './lib/statistics.mjs';

const CORE_SERVER = new URL('./core-server.mjs', import.meta.url).pathname;
const CALLING_SERVER = new URL('./calling-server.mjs', import.meta.url).pathname;
const LOAD = new URL('./lib/load-process.mjs', import.meta.url).pathname;
const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

/** By group: the server's program, and its subjects, each with what it is compared to. */
const GROUPS = {
  core: {
    server: CORE_SERVER,
    rows: [
      ['bare'],
      ['an empty middleware', 'bare'],
      ['express-hangup, signal unread', 'an empty middleware'],
      ['an empty middleware, an AbortController kept', 'an empty middleware'],
      ['express-hangup, signal read', 'an empty middleware, an AbortController kept'],
    ],
  },
  proxy: {
    server: CALLING_SERVER,
    rows: [
      ['HPM 4 after hangup()'],
      ['HPM 4 with hangupProxy()', 'HPM 4 after hangup()'],
      ['HPM 4 with hangupProxy(), diagnose() on', 'HPM 4 with hangupProxy()'],
      ['HPM 3 after hangup()'],
      ['HPM 3 with hangupProxy()', 'HPM 3 after hangup()'],
    ],
  },
  diagnose: {
    server: CALLING_SERVER,
    rows: [
      ['global fetch'],
      ['global fetch, diagnose() on', 'global fetch'],
      ['global fetch, diagnose() on, with where', 'global fetch'],
      ['node:http'],
      ['node:http, diagnose() on', 'node:http'],
      ['node:http, diagnose() on, with where', 'node:http'],
      ['HPM 4 with hangupProxy()'],
      ['HPM 4 with hangupProxy(), diagnose() on', 'HPM 4 with hangupProxy()'],
    ],
  },
  propagate: {
    server: CALLING_SERVER,
    rows: [
      ['no call, context'],
      ['no call, propagate', 'no call, context'],
      ['global fetch, context'],
      ['global fetch, propagate', 'global fetch, context'],
      ['node:http, context'],
      ['node:http, propagate', 'node:http, context'],
    ],
  },
};

const HEADINGS = [
  'thousand instructions for each request',
  'median',
  'mean',
  'compared to',
  'times, by median',
  'times, by mean',
];

const { quick, only, node, ...given } = readCommandLine({
  only: { type: 'string' },
  rows: { type: 'string', default: '' },
  'warm-up': { type: 'string' },
  windows: { type: 'string' },
  requests: { type: 'string' },
  'at-once': { type: 'string', default: '2' },
});
const plan = {
  warmUp: Number(given['warm-up'] ?? (quick ? 20 : 10_000)),
  windows: Number(given.windows ?? (quick ? 2 : 8)),
  steps: Number(given.requests ?? (quick ? 20 : 1000)),
};

needValgrind();
const upstream = http.createServer((req, res) => res.end('{"id":7,"name":"Ada"}'));
upstream.keepAliveTimeout = 600_000;
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const target = `http://127.0.0.1:${upstream.address().port}`;
const load = await startProcess(LOAD);

for (const path of node) {
  for (const [name, { server, rows: all }] of Object.entries(GROUPS)) {
    if (only !== undefined && only !== name) continue;
    const rows = all.filter(([subject]) => subject.includes(given.rows));
    const counts = await countAll(
      path,
      server,
      rows.map(([subject]) => subject),
    );
    console.log(`\nNode ${versionOf(path)}\n`);
    console.log(
      table(
        HEADINGS,
        rows.map((row) => cellsOf(counts, row)),
      ),
    );
  }
}
await load.stop();
upstream.close().closeAllConnections();

function cellsOf(counts, [subject, base]) {
  const averages = [median, mean];
  const times = (average) => (average(counts[subject]) / average(counts[base])).toFixed(3);
  return [
    subject,
    ...averages.map((average) => Math.round(average(counts[subject]))),
    ...(counts[base] === undefined ? ['', '', ''] : [base, ...averages.map(times)]),
  ];
}

/** As many at a time as there are cores: each needs one. */
async function countAll(path, server, subjects) {
  const counts = {};
  const queue = [...subjects];
  const worker = async () => {
    for (let subject = queue.shift(); subject !== undefined; subject = queue.shift()) {
      counts[subject] = await windowsOf(path, server, subject);
    }
  };
  await Promise.all(Array.from({ length: Number(given['at-once']) }, worker));
  return counts;
}

/** Thousands of instructions for each request, one figure for each window. */
async function windowsOf(path, program, subject) {
  const ports = new Set();
  const counts = await countInstructions(program, {
    process: { node: path, args: [subject], env: { BENCH_UPSTREAM: target } },
    plan,
    run({ port }, requests) {
      ports.add(port);
      return load.call('run', { port, requests, connections: 4, request: REQUEST });
    },
  });
  for (const port of ports) await load.call('close', { port });
  return counts;
}
