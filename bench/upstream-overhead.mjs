// What a call through upstream() costs over undici's own fetch() and request() with the same pool: a small GET, the upstream
// being another process.
//
//   npm run build && node bench/upstream-overhead.mjs [--quick] [--node <path>]           CPU time, all calls taking turns
//   npm run build && node bench/upstream-overhead.mjs --count [--quick] [--node <path>]   instructions; needs valgrind
//
// --only request or --only fetch measures those alone.
//
// Instructions hardly depend on what else the machine does, but say nothing of what the kernel does.
import { once } from 'node:events';
import http from 'node:http';
import { readCommandLine } from './lib/command-line.mjs';
import { countInstructions, needValgrind } from './lib/instructions.mjs';
import { startProcess } from './lib/measured-process.mjs';
import { table, versionOf } from './lib/report.mjs';
import { median, quantile } from './lib/statistics.mjs';

const CALLER = new URL('./upstream-caller.mjs', import.meta.url).pathname;

/** Each way to call, and what it is compared to. */
const ROWS = [
  ['undici request'],
  ['undici request, a signal and a header', 'undici request'],
  ['upstream().request(null)', 'undici request'],
  ['upstream().request(req)', 'undici request, a signal and a header'],
  ['undici fetch'],
  ['undici fetch, a signal and a header', 'undici fetch'],
  ['upstream().fetch(null)', 'undici fetch'],
  ['upstream().fetch(req)', 'undici fetch, a signal and a header'],
];

const { quick, count, node, only } = readCommandLine({
  count: { type: 'boolean', default: false },
  only: { type: 'string', default: '' },
});
if (count) needValgrind();
const rows = ROWS.filter(([name]) => name.includes(only));
const server = http.createServer((req, res) => res.end('{"id":7,"name":"Ada"}'));
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const env = { BENCH_UPSTREAM: `http://127.0.0.1:${server.address().port}` };

for (const path of node) {
  const costs = await (count ? instructions(path) : cpuTimes(path));
  console.log(`\nNode ${versionOf(path)}: ${count ? 'thousand instructions' : 'CPU µs'} per call\n`);
  console.log(
    table(
      ['way to call', 'cost', 'times', 'of'],
      rows.map(([name, base]) => [
        name,
        costs[name].toFixed(1),
        base === undefined ? '' : (costs[name] / costs[base]).toFixed(3),
        base ?? '',
      ]),
    ),
  );
}
server.close().closeAllConnections();

/** All in one process, in turns: a busy machine is unfair to all alike. */
async function cpuTimes(path) {
  const caller = await startProcess(CALLER, { node: path, env });
  const times = Object.fromEntries(rows.map(([name]) => [name, []]));
  const [turns, calls] = quick ? [5, 100] : [60, 500];
  for (let turn = quick ? -1 : -6; turn < turns; turn++) {
    // Forwards and backwards: what one leaves to the garbage collector, its neighbour pays.
    for (const [name] of turn % 2 === 0 ? rows : rows.toReversed()) {
      const time = await caller.call('cpuPerCall', { name, calls });
      if (turn >= 0) times[name].push(time);
    }
  }
  await caller.stop();
  // Of many short turns: what is measured while a neighbour has the machine is above the lower quartile.
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, quantile(values, 0.25)]));
}

/** Each in a process of its own, in windows after a warm-up; the median leaves out those with a full garbage collection. */
async function instructions(path) {
  const [warmUp, windows, steps] = quick ? [50, 2, 50] : [4000, 5, 400];
  const costs = {};
  for (const [name] of rows) {
    const counts = await countInstructions(CALLER, {
      process: { node: path, env },
      plan: { warmUp, windows, steps },
      run: (caller, calls) => caller.call('run', { name, calls }),
    });
    costs[name] = median(counts);
  }
  return costs;
}
