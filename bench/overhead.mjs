// CPU time of the server process for each request under load, every variant in turn, over several generations of processes:
//
//   npm run build && node bench/overhead.mjs [--node <path>] [--quick]
//
// wrk and taskset are needed; without them it says so. The server has one core of its own, wrk another.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readCommandLine } from './lib/command-line.mjs';
import { compareInGenerations } from './lib/generations.mjs';
import { startProcess } from './lib/measured-process.mjs';
import { machine, versionOf } from './lib/report.mjs';

const SERVER = new URL('./overhead-server.mjs', import.meta.url).pathname;
const EMPTY = 'an empty middleware';
const WITH_CONTROLLER = 'an empty middleware, an AbortController made';
/** Each with what it is compared to. */
const VARIANTS = [
  ['bare', EMPTY],
  [EMPTY],
  [EMPTY, EMPTY],
  ['hangup(), signal unread', EMPTY],
  [WITH_CONTROLLER, EMPTY],
  ['hangup(), signal read', WITH_CONTROLLER],
  ['hangup({ context: true })', 'hangup(), signal unread'],
  ['express-timeout-handler', EMPTY],
  ['connect-timeout', EMPTY],
];

const { quick, node } = readCommandLine();
// In seconds of load.
const plan = quick
  ? { warmUp: 1, rounds: 1, amount: 1 }
  : { generations: 9, warmUp: 2, rounds: 4, amount: 1 };

for (const program of ['wrk', 'taskset']) {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
  } catch {
    console.log(`Not measured: ${program} is not installed.`);
    process.exit(0);
  }
}

for (const path of node) {
  console.log(`\nNode ${versionOf(path)}, for each request; ${machine()}\n`);
  console.log(
    await compareInGenerations(VARIANTS, { quick, plan, start: (variant) => start(path, variant) }),
  );
}

async function start(path, variant) {
  const server = await startProcess(SERVER, { node: path, args: [variant] });
  execFileSync('taskset', ['-a', '-cp', '0', String(server.pid)], { stdio: 'ignore' });
  return {
    async measure(seconds) {
      const before = await server.cpu();
      const requests = await load(server.port, seconds);
      return ((await server.cpu()) - before) / requests;
    },
    stop: () => server.stop(),
  };
}

/** Sends requests for so many seconds. Gives how many were answered. */
async function load(port, seconds) {
  const url = `http://127.0.0.1:${port}/`;
  const wrk = spawn('taskset', ['-c', '1', 'wrk', '-t1', '-c32', `-d${seconds}s`, url]);
  let printed = '';
  wrk.stdout.on('data', (text) => (printed += text));
  await once(wrk, 'close');
  return Number(/(\d+) requests in/.exec(printed)[1]);
}
