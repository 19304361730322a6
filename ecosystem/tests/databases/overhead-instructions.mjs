// What a query costs this process with and without abortable(), in instructions of the processor, counted by valgrind:
//   node tests/databases/overhead-instructions.mjs [--quick] [--node <path>] [--only <part of a subject>]
// A count hardly depends on what else the machine does, as a time does.
import { readCommandLine } from '../../../bench/lib/command-line.mjs';
import { countInstructions, needValgrind } from '../../../bench/lib/instructions.mjs';
import { versionOf } from '../../../bench/lib/report.mjs';
import { median } from '../../../bench/lib/statistics.mjs';
import { missingPostgres, startPostgres } from './servers/postgres.mjs';

const CLIENT = new URL('./overhead-client.mjs', import.meta.url).pathname;
/** Each after what it is compared to. */
const SUBJECTS = [
  ['pg alone'],
  ['abortable(), no signal', 'pg alone'],
  ['abortable(), a signal for all', 'pg alone'],
  ['pg alone, an AbortController for each'],
  ['abortable(), a signal for each', 'pg alone, an AbortController for each'],
];
const { quick, node, only } = readCommandLine({ only: { type: 'string', default: '' } });
const plan = quick ? { warmUp: 100, windows: 2, steps: 50 } : { warmUp: 4000, windows: 7, steps: 500 };

needValgrind();
if (missingPostgres()) {
  console.log(missingPostgres());
  process.exit(0);
}
const server = await startPostgres();
for (const path of node) await report(path);
await server.stop();

/** Thousands of instructions for each query: the median of the windows. */
async function report(path) {
  console.log(`Node ${versionOf(path)}: thousand instructions for each query`);
  const counts = new Map();
  for (const [subject, base] of SUBJECTS.filter(([name]) => name.includes(only))) {
    const windows = await countInstructions(CLIENT, {
      process: { node: path, args: [subject], env: { POSTGRES: JSON.stringify(server.config) } },
      plan,
      run: (client, queries) => client.call('run', queries),
    });
    counts.set(subject, median(windows));
    const times = counts.has(base) ? `(${(counts.get(subject) / counts.get(base)).toFixed(3)} times)` : '';
    console.log(`${subject.padEnd(40)} ${counts.get(subject).toFixed(1)} ${times}`);
  }
}
