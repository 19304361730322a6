// CPU time of the server process for each request under load, every variant in turn, over several generations of processes:
//
//   npm run build && node bench/overhead.mjs [--node <path>] [--quick]               wrk sends the requests; taskset is needed, too
//   npm run build && node bench/overhead.mjs --in-memory [--node <path>] [--quick]   the process sends them to itself
//
// With wrk the server has one core of its own, wrk another. In memory there is no socket, so the kernel adds neither to the time
// nor to the noise: it shows the microseconds that each variant takes more, not the share of them in a real request.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { IN_MEMORY, readCommandLine } from './lib/command-line.mjs';
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

const { quick, node, 'in-memory': isInMemory } = readCommandLine(IN_MEMORY);
const plan = planOf();

for (const program of isInMemory ? [] : ['wrk', 'taskset']) {
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

function planOf() {
  if (isInMemory) return quick ? {} : { generations: 16, warmUp: 20_000, rounds: 16, amount: 3000 };
  // In seconds of load.
  return quick ? { warmUp: 1, rounds: 1, amount: 1 } : { generations: 9, warmUp: 2, rounds: 4, amount: 1 };
}

async function start(path, variant) {
  const server = await startProcess(SERVER, { node: path, args: [variant] });
  if (!isInMemory) execFileSync('taskset', ['-a', '-cp', '0', String(server.pid)], { stdio: 'ignore' });
  return {
    async measure(amount) {
      const before = await server.cpu();
      const requests = isInMemory ? amount : await load(server.port, amount);
      if (isInMemory) await server.call('serve', requests);
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
