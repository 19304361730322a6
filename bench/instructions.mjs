// What hangup(), hangupProxy() and diagnose() cost in instructions of the processor for each request, counted by valgrind.
// A count hardly depends on what else the machine does, as time does: it shows differences that are far below the error of
// bench/core.mjs. It says nothing of what the kernel does, nor of how long an instruction takes.
//
//   npm run build && node bench/instructions.mjs [--quick] [--only core|proxy|diagnose] [--node <path>]    needs valgrind
//
// Counted are several windows of requests, after a warm-up. The median leaves out the windows with a full garbage collection
// in them, the mean does not. V8 compiles while it runs: two counts of the same thing are 1 to 2 % apart.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readCommandLine } from './lib/command-line.mjs';
import { startProcess } from './lib/measured-process.mjs';
import { table, versionOf } from './lib/report.mjs';
import { mean, median } from './lib/statistics.mjs';

const SERVER = new URL('./instructions-server.mjs', import.meta.url).pathname;
const LOAD = new URL('./lib/load-process.mjs', import.meta.url).pathname;
const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

/** Each with what it is compared to. */
const GROUPS = {
  core: [
    ['bare', 'bare'],
    ['an empty middleware', 'bare'],
    ['hangup(), signal unread', 'an empty middleware'],
    ['an empty middleware, an AbortController kept', 'an empty middleware'],
    ['hangup(), signal read', 'an empty middleware, an AbortController kept'],
  ],
  proxy: [
    ['HPM 4 after hangup()', 'HPM 4 after hangup()'],
    ['HPM 4 with hangupProxy()', 'HPM 4 after hangup()'],
    ['HPM 3 after hangup()', 'HPM 3 after hangup()'],
    ['HPM 3 with hangupProxy()', 'HPM 3 after hangup()'],
  ],
  diagnose: [
    ['global fetch', 'global fetch'],
    ['global fetch, diagnose() on', 'global fetch'],
    ['node:http', 'node:http'],
    ['node:http, diagnose() on', 'node:http'],
    ['HPM 4 with hangupProxy()', 'HPM 4 with hangupProxy()'],
    ['HPM 4 with hangupProxy(), diagnose() on', 'HPM 4 with hangupProxy()'],
  ],
};

const HEADINGS = [
  'thousand instructions for each request',
  'median',
  'mean',
  'compared to',
  'times, by median',
  'times, by mean',
];

const { quick, only, node } = readCommandLine({ only: { type: 'string' } });
const plan = quick
  ? { warmUp: 20, windows: 2, requests: 20 }
  : { warmUp: 10_000, windows: 8, requests: 1000 };

if (spawnSync('valgrind', ['--version']).error) {
  console.error('This needs valgrind: apt-get install valgrind');
  process.exit(1);
}
const upstream = http.createServer((req, res) => res.end('{"id":7,"name":"Ada"}'));
upstream.keepAliveTimeout = 600_000;
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const load = await startProcess(LOAD);

for (const path of node) {
  for (const [name, rows] of Object.entries(GROUPS)) {
    if (only !== undefined && only !== name) continue;
    const counts = await countAll(
      path,
      rows.map(([subject]) => subject),
    );
    console.log(`\nNode ${versionOf(path)}\n`);
    console.log(table(HEADINGS, rows.map(rowOf(counts))));
  }
}
await load.stop();
upstream.close().closeAllConnections();

function rowOf(counts) {
  return ([subject, base]) => [
    subject,
    ...[median, mean].map((average) => Math.round(average(counts[subject]))),
    ...(base === subject
      ? ['', '', '']
      : [base, ...[median, mean].map((average) => times(counts, subject, base, average))]),
  ];
}

function times(counts, subject, base, average) {
  return (average(counts[subject]) / average(counts[base])).toFixed(3);
}

/** Two at a time: each needs one core. */
async function countAll(path, subjects) {
  const counts = {};
  const queue = [...subjects];
  const worker = async () => {
    for (let subject = queue.shift(); subject !== undefined; subject = queue.shift()) {
      counts[subject] = await windowsOf(path, subject);
    }
  };
  await Promise.all([worker(), worker()]);
  return counts;
}

/** Thousands of instructions for each request, one figure for each window. */
async function windowsOf(path, subject) {
  const folder = await mkdtemp(join(tmpdir(), 'instructions-'));
  const target = `http://127.0.0.1:${upstream.address().port}`;
  const program = [path, '--single-threaded', '--hash-seed=1', '--random-seed=1', SERVER, subject, target];
  const child = spawn(
    'valgrind',
    [
      '--tool=callgrind',
      `--callgrind-out-file=${join(folder, 'out')}`,
      '--smc-check=all-non-file',
      ...program,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, NODE_ENV: 'production' } },
  );
  const ended = once(child, 'exit');
  const early = ended.then(([code]) => Promise.reject(new Error(`${subject}: ended with ${code}`)));
  const [port] = await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), early]);
  const send = (requests) =>
    load.call('run', { port: Number(port), requests, connections: 4, request: REQUEST });
  await send(plan.warmUp);
  await control(child, '--zero');
  const counts = [];
  for (let dump = 1; dump <= plan.windows; dump++) {
    await send(plan.requests);
    await control(child, '--dump');
    const [, total] = /^totals: (\d+)/m.exec(await readFile(join(folder, `out.${dump}`), 'utf8'));
    counts.push(Number(total) / plan.requests / 1000);
  }
  await load.call('close', { port: Number(port) });
  child.kill();
  await ended;
  await rm(folder, { recursive: true });
  return counts;
}

/** Writing a dump sets the counts to zero as well. */
function control({ pid }, command) {
  return promisify(execFile)('callgrind_control', [command, String(pid)]);
}
