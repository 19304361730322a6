import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startProcess } from './measured-process.mjs';

/** Ends this process where there is no valgrind. */
export function needValgrind() {
  if (!spawnSync('valgrind', ['--version']).error) return;
  console.error('This needs valgrind: apt-get install valgrind');
  process.exit(1);
}

/**
 * Starts a program under valgrind and counts what it does, in windows after a warm-up.
 *
 * @param {string} file the program, as for `startProcess()`
 * @param {object} options
 * @param {object} options.process options of `startProcess()`: `node`, `args`, `env`
 * @param {{ warmUp: number, windows: number, steps: number }} options.plan how many steps come first; how many windows of how
 *   many steps are counted
 * @param {(program: object, steps: number) => Promise<unknown>} options.run makes the program take some steps
 * @returns {Promise<number[]>} thousands of instructions for each step, one figure for each window
 */
export async function countInstructions(file, { process, plan, run }) {
  const folder = await mkdtemp(join(tmpdir(), 'instructions-'));
  const out = join(folder, 'out');
  const callgrind = [`--callgrind-out-file=${out}`, '--smc-check=all-non-file'];
  const program = await startProcess(file, {
    ...process,
    under: ['valgrind', '--quiet', '--tool=callgrind', ...callgrind],
    execArgv: ['--single-threaded', '--hash-seed=1', '--random-seed=1'],
  });
  try {
    await run(program, plan.warmUp);
    await control(program, '--zero');
    const counts = [];
    for (let dump = 1; dump <= plan.windows; dump++) {
      await run(program, plan.steps);
      await control(program, '--dump');
      const [, total] = /^totals: (\d+)/m.exec(await readFile(`${out}.${dump}`, 'utf8'));
      counts.push(Number(total) / plan.steps / 1000);
    }
    return counts;
  } finally {
    await program.stop();
    await rm(folder, { recursive: true });
  }
}

/** Writing a dump sets the counts to zero as well. */
function control({ pid }, command) {
  return promisify(execFile)('callgrind_control', [command, String(pid)]);
}
