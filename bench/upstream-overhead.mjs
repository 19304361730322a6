// What a call through upstream() costs over undici's own fetch() and request() with the same pool: a small GET, the upstream
// being another process.
//
//   npm run build && node bench/upstream-overhead.mjs [--quick] [--node <path>]           CPU time
//   npm run build && node bench/upstream-overhead.mjs --count [--quick] [--node <path>]   instructions; needs valgrind
//
// --only request or --only fetch measures those alone.
//
// Instructions hardly depend on what else the machine does, but say nothing of what the kernel does.
import { startSmallUpstream } from './lib/calling-servers.mjs';
import { readCommandLine } from './lib/command-line.mjs';
import { compareInGenerations } from './lib/generations.mjs';
import { countInstructions, needValgrind } from './lib/instructions.mjs';
import { startProcess } from './lib/measured-process.mjs';
import { table, versionOf } from './lib/report.mjs';
import { median } from './lib/statistics.mjs';

const CALLER = new URL('./upstream-caller.mjs', import.meta.url).pathname;

/** Each way to call, and what it is compared to. */
const ROWS = [
  ['undici request'],
  ['undici request', 'undici request'],
  ['undici request, a signal and a header', 'undici request'],
  ['upstream().request(null)', 'undici request'],
  ['upstream().request(req)', 'undici request, a signal and a header'],
  ['undici fetch'],
  ['undici fetch', 'undici fetch'],
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
const { env, close } = await startSmallUpstream();

for (const path of node) {
  console.log(`\nNode ${versionOf(path)}, for each call\n`);
  console.log(await (count ? instructions(path) : cpuTimes(path)));
}
close();

function cpuTimes(path) {
  return compareInGenerations(rows, {
    quick,
    async start(name) {
      const caller = await startProcess(CALLER, { node: path, env });
      return { measure: (calls) => caller.call('cpuPerCall', { name, calls }), stop: () => caller.stop() };
    },
  });
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
  return table(
    ['thousand instructions', 'cost', 'times', 'compared to'],
    rows.map(([name, base]) => [
      name,
      costs[name].toFixed(1),
      base === undefined ? '' : (costs[name] / costs[base]).toFixed(3),
      base ?? '',
    ]),
  );
}
