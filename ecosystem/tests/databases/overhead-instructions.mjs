// What a query costs this process with and without abortable(), in instructions of the processor, counted by valgrind:
//   node tests/databases/overhead-instructions.mjs [--quick] [--node <path>] [--only <part of a subject>]
// A count hardly depends on what else the machine does, as a time does.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { startProcess } from '../../../bench/lib/measured-process.mjs';
import { missingPostgres, startPostgres } from './servers/postgres.mjs';

const CLIENT = new URL('./overhead-client.mjs', import.meta.url).pathname;
const SUBJECTS = [
  ['pg alone'],
  ['abortable(), no signal', 'pg alone'],
  ['abortable(), a signal for all', 'pg alone'],
  ['pg alone, an AbortController for each'],
  ['abortable(), a signal for each', 'pg alone, an AbortController for each'],
];
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    node: { type: 'string', default: process.execPath },
    only: { type: 'string', default: '' },
  },
});
const plan = values.quick
  ? { warmUp: 100, windows: 2, queries: 50 }
  : { warmUp: 4000, windows: 7, queries: 500 };

if (missingPostgres()) {
  console.log(missingPostgres());
  process.exit(0);
}
const server = await startPostgres();
const counts = new Map();
for (const [subject, base] of SUBJECTS) {
  if (!subject.includes(values.only)) continue;
  const windows = await count(subject);
  counts.set(subject, windows[Math.floor(windows.length / 2)]);
  const times = counts.has(base) ? (counts.get(subject) / counts.get(base)).toFixed(3) : '';
  console.log(
    `${subject.padEnd(40)} ${counts.get(subject).toFixed(1)} thousand instructions ${times && `(${times} times)`}`,
  );
}
await server.stop();

/** Thousands of instructions for each query, by window, the least first. */
async function count(subject) {
  const folder = mkdtempSync(join(tmpdir(), 'instructions-'));
  const out = join(folder, 'out');
  const client = await startProcess(CLIENT, {
    under: [
      'valgrind',
      '--quiet',
      '--tool=callgrind',
      `--callgrind-out-file=${out}`,
      '--smc-check=all-non-file',
    ],
    node: values.node,
    execArgv: ['--single-threaded', '--hash-seed=1', '--random-seed=1'],
    args: [subject],
    env: { POSTGRES: JSON.stringify(server.config) },
  });
  const control = (command) => promisify(execFile)('callgrind_control', [command, String(client.pid)]);
  try {
    await client.call('run', plan.warmUp);
    await control('--zero');
    const windows = [];
    for (let dump = 1; dump <= plan.windows; dump += 1) {
      await client.call('run', plan.queries);
      await control('--dump');
      const [, total] = /^totals: (\d+)/m.exec(readFileSync(`${out}.${dump}`, 'utf8'));
      windows.push(Number(total) / plan.queries / 1000);
    }
    return windows.sort((a, b) => a - b);
  } finally {
    await client.stop();
    rmSync(folder, { recursive: true });
  }
}
