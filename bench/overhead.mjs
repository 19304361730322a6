// CPU time of the server process for each request under load, every variant in turn, over several generations of processes:
//
//   npm run build && node bench/overhead.mjs [--node <path>] [--generations 6] [--rounds 4] [--seconds 1] [--quick]
//
// Two processes that run the same code differ by some per cent, so each variant gets a process per generation, and shown is the
// mean of each process's 10th percentile. wrk and taskset are needed; without them it says so.
import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';

const SERVER = new URL('./overhead-server.mjs', import.meta.url).pathname;
const VARIANTS = [
  'bare',
  'an empty middleware',
  'an empty middleware, an AbortController made',
  'hangup(), signal unread',
  'hangup(), signal read',
  'hangup({ context: true })',
  'express-timeout-handler',
  'connect-timeout',
];

const { values } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    generations: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
  },
});
const generations = values.quick ? 1 : Number(values.generations);
const rounds = values.quick ? 1 : Number(values.rounds);

for (const program of ['wrk', 'taskset']) {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
  } catch {
    console.log(`Not measured: ${program} is not installed.`);
    process.exit(0);
  }
}

async function start(variant) {
  const child = fork(SERVER, [variant], {
    execPath: values.node,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  execFileSync('taskset', ['-a', '-cp', '0', String(child.pid)], { stdio: 'ignore' });
  const [{ port }] = await once(child, 'message');
  return { variant, child, port, us: [] };
}

async function cpuOf({ child }) {
  child.send('cpu');
  const [{ cpuUs }] = await once(child, 'message');
  return cpuUs;
}

/** The number of requests that were answered. */
async function load(port, seconds) {
  const url = `http://127.0.0.1:${port}/`;
  const wrk = spawn('taskset', ['-c', '1', 'wrk', '-t1', '-c32', `-d${seconds}s`, url]);
  let printed = '';
  wrk.stdout.on('data', (text) => (printed += text));
  await once(wrk, 'close');
  return Number(/(\d+) requests in/.exec(printed)[1]);
}

const percentile = (numbers, q) => [...numbers].sort((a, b) => a - b)[Math.floor(q * (numbers.length - 1))];
const mean = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

const best = new Map(VARIANTS.map((variant) => [variant, []]));
for (let generation = 0; generation < generations; generation++) {
  const servers = [];
  for (const variant of generation % 2 ? [...VARIANTS].reverse() : VARIANTS)
    servers.push(await start(variant));
  for (const { port } of servers) await load(port, values.quick ? 1 : 2);
  for (let round = 0; round < rounds; round++) {
    for (const server of round % 2 ? [...servers].reverse() : servers) {
      const before = await cpuOf(server);
      const requests = await load(server.port, Number(values.seconds));
      server.us.push(((await cpuOf(server)) - before) / requests);
    }
  }
  for (const { variant, child, us } of servers) {
    best.get(variant).push(percentile(us, 0.1));
    child.kill();
  }
}

const empty = mean(best.get('an empty middleware'));
const bare = mean(best.get('bare'));
console.log(
  '| CPU time for each request, under load | µs | times bare | times an empty middleware | each process |',
);
console.log('| --- | --- | --- | --- | --- |');
for (const [variant, each] of best) {
  const us = mean(each);
  const spread = each.map((value) => value.toFixed(1)).join(' ');
  console.log(
    `| ${variant} | ${us.toFixed(1)} | ${(us / bare).toFixed(3)} | ${(us / empty).toFixed(3)} | ${spread} |`,
  );
}
