// CPU time of the server process for each request under load, every variant in turn, over several generations of processes:
//
//   npm run build && node bench/overhead.mjs [--node <path>] [--quick]               over 32 connections
//   npm run build && node bench/overhead.mjs --in-memory [--node <path>] [--quick]   the process sends the requests to itself
//
// Over connections all servers share one core, the client has another and does not sleep. A server's turn takes some 30 ms, so that
// whatever else the machine does falls upon all of them alike. (With wrk, which sleeps and whose turns take a second, two equal
// servers differed by a tenth.) In memory there is no socket, so the kernel adds neither to the time nor to the noise: it shows the
// microseconds that each variant takes more, not the share of them in a real request.
import { execFileSync } from 'node:child_process';
import { IN_MEMORY, readCommandLine } from './lib/command-line.mjs';
import { compareInGenerations, underLoad } from './lib/generations.mjs';
import { startProcess } from './lib/measured-process.mjs';
import { machine, versionOf } from './lib/report.mjs';

const SERVER = new URL('./overhead-server.mjs', import.meta.url).pathname;
const LOAD = new URL('./lib/load-process.mjs', import.meta.url).pathname;
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

const CONNECTIONS = 32;
const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const [SERVERS_CORE, CLIENTS_CORE] = ['0', '1'];

const { quick, node, 'in-memory': isInMemory } = readCommandLine(IN_MEMORY);

for (const path of node) {
  console.log(`\nNode ${versionOf(path)}, for each request; ${machine()}\n`);
  console.log(await (isInMemory ? compareInMemory(path) : compareOverConnections(path)));
}

function compareInMemory(path) {
  const plan = quick ? {} : { generations: 16, warmUp: 20_000, rounds: 16, amount: 3000 };
  const start = async (variant) => {
    const server = await startProcess(SERVER, { node: path, args: [variant] });
    return {
      measure: (requests) => server.cpuDuring(() => server.call('serve', requests), requests),
      stop: () => server.stop(),
    };
  };
  return compareInGenerations(VARIANTS, { quick, plan, start });
}

async function compareOverConnections(path) {
  const plan = quick ? {} : { generations: 14, warmUp: 25_000, rounds: 40, amount: 1000 };
  const client = await startProcess(LOAD);
  pin(client, CLIENTS_CORE);
  const start = async (variant) => {
    const server = await startProcess(SERVER, { node: path, args: [variant] });
    pin(server, SERVERS_CORE);
    return underLoad(server, client, { connections: CONNECTIONS, request: REQUEST, isAwake: true });
  };
  try {
    return await compareInGenerations(VARIANTS, { quick, plan, start });
  } finally {
    await client.stop();
  }
}

/** Gives a process a core. Without taskset the scheduler does. */
function pin({ pid }, core) {
  try {
    execFileSync('taskset', ['-a', '-cp', core, String(pid)], { stdio: 'ignore' });
  } catch {
    // Not Linux, or only one core: the figures scatter more.
  }
}
