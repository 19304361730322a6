// What hangup() costs: `npm run bench`. See docs/benchmarks.md for how to read it.
//
//   node bench/core.mjs [--quick] [--json] [--node <path>]… [--only cpu|memory|heap|deadlines]… [--sets <n>] [--entry <file>]
//
// --sets is how often processes are started afresh (cpu: 4 times, memory: 3 times); --entry measures another build of the
// package, to compare a change with what was before.
import { createRequire } from 'node:module';
import { readCommandLine } from './lib/command-line.mjs';
import { startProcess } from './lib/measured-process.mjs';
import { machine, table, versionOf } from './lib/report.mjs';
import { measureRounds, summarize } from './lib/rounds.mjs';

const GET = (path) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
const SERVER = new URL('./core-server.mjs', import.meta.url).pathname;
const DEADLINES_SERVER = new URL('./core-deadlines-server.mjs', import.meta.url).pathname;
const LOAD = new URL('./lib/load-process.mjs', import.meta.url).pathname;

const SUBJECTS = [
  'bare',
  'bare, again',
  'an empty middleware',
  'an empty middleware, an AbortController made',
  'connect-timeout',
  'express-timeout-handler',
  'the snippet',
  'express-hangup, signal unread',
  'express-hangup, signal read',
];

const FULL = {
  cpu: { sets: 4, rounds: 60, requests: 400, warmUp: 10_000, connections: 16 },
  memory: { sets: 3, waiting: 2_000 },
  heap: { warmUp: 50_000, steps: 6, requests: 50_000, connections: 16 },
  deadlines: { waiting: 10_000, perSecond: 2_000, deadlineMs: 8_000 },
};
// Shows that everything still runs. Its figures mean nothing.
const QUICK = {
  cpu: { sets: 1, rounds: 2, requests: 100, warmUp: 200, connections: 4 },
  memory: { sets: 1, waiting: 50 },
  heap: { warmUp: 500, steps: 2, requests: 500, connections: 4 },
  deadlines: { waiting: 100, perSecond: 500, deadlineMs: 400 },
};

/** CPU time per request, in alternating rounds; several sets, because two processes that run the same code differ. */
async function cpu(node, load, entry, { sets, ...plan }) {
  const measured = [];
  for (let set = 0; set < sets; set++) {
    const servers = {};
    for (const subject of SUBJECTS)
      servers[subject] = await startProcess(SERVER, { node, args: [subject, entry] });
    measured.push(await measureRounds({ servers, load, request: GET('/'), ...plan }));
    for (const server of Object.values(servers)) await server.stop();
  }
  return summarize(measured, 'bare');
}

/** Heap that a request holds while its handler waits, in bytes, beyond what bare Express holds. */
async function memory(node, load, entry, { sets, waiting }) {
  const subjects = SUBJECTS.filter((subject) => subject === 'bare' || !/^(bare|an empty)/.test(subject));
  const held = Object.fromEntries(subjects.map((subject) => [subject, []]));
  for (let set = 0; set < sets; set++) {
    for (const subject of subjects) {
      const server = await startProcess(SERVER, { node, args: [subject, entry] });
      const { port } = server;
      // The first requests pay for compiled code and caches, which are not the waiting ones'.
      await load.call('run', { port, requests: waiting, connections: 4, request: GET('/') });
      const before = await server.memory();
      await load.call('hold', { port, count: waiting, perSecond: 10_000, request: GET('/hold') });
      while ((await server.call('held')) < waiting) await new Promise((resolve) => setTimeout(resolve, 20));
      const after = await server.memory();
      held[subject].push((after.heapUsed - before.heapUsed) / waiting);
      await server.call('release');
      await load.call('answers', { port, count: waiting });
      await load.call('close', { port });
      await server.stop();
    }
  }
  return Object.fromEntries(
    subjects.map((subject) => {
      const bytes = Math.min(...held[subject]);
      return [subject, { bytes, extra: bytes - Math.min(...held.bare) }];
    }),
  );
}

/** The heap after each step of a long run, in KiB. */
async function heap(node, load, entry, { warmUp, steps, requests, connections }) {
  const result = {};
  for (const subject of SUBJECTS.filter((name) => name === 'bare' || name.startsWith('express-hangup'))) {
    const server = await startProcess(SERVER, { node, args: [subject, entry] });
    const run = (count) =>
      load.call('run', { port: server.port, requests: count, connections, request: GET('/') });
    await run(warmUp);
    result[subject] = [(await server.memory()).heapUsed / 1024];
    for (let step = 0; step < steps; step++) {
      await run(requests);
      result[subject].push((await server.memory()).heapUsed / 1024);
    }
    await load.call('close', { port: server.port });
    await server.stop();
  }
  return result;
}

/** How long after its deadline each of many waiting requests is answered, in ms, the grace of 50 ms included. */
async function deadlines(node, load, entry, { waiting, perSecond, deadlineMs }) {
  const server = await startProcess(DEADLINES_SERVER, { node, args: [entry, String(deadlineMs)] });
  await load.call('hold', { port: server.port, count: waiting, perSecond, request: GET('/') });
  const statuses = await load.call('answers', { port: server.port, count: waiting });
  const { lateness, mostWaiting } = await server.call('result');
  const micros = (await server.cpu()) / waiting;
  await load.call('close', { port: server.port });
  await server.stop();
  const wrong = statuses.filter((status) => status !== 504).length;
  if (wrong > 0) throw new Error(`${wrong} of ${waiting} requests did not get their 504`);
  lateness.sort((a, b) => a - b);
  const at = (part) => lateness[Math.ceil(part * lateness.length) - 1];
  return { waiting: mostWaiting, micros, p50: at(0.5), p99: at(0.99), p100: at(1) };
}

const MEASURES = { cpu, memory, heap, deadlines };

const PRINT = {
  cpu: (result) =>
    table(
      ['CPU time per request', 'µs', 'more than bare, µs', 'times bare', 'times bare, median of rounds'],
      Object.entries(result).map(([name, { micros, extra, ratio, pairedRatio }]) => [
        name,
        micros.toFixed(1),
        extra.toFixed(1),
        ratio.toFixed(3),
        pairedRatio.toFixed(3),
      ]),
    ),
  memory: (result) =>
    table(
      ['Heap per waiting request', 'bytes', 'more than bare'],
      Object.entries(result).map(([name, { bytes, extra }]) => [name, bytes.toFixed(0), extra.toFixed(0)]),
    ),
  heap: (result) =>
    table(
      ['Heap in the course of a long run', 'KiB after each step', 'last less first'],
      Object.entries(result).map(([name, steps]) => [
        name,
        steps.map((kib) => kib.toFixed(0)).join(', '),
        (steps.at(-1) - steps[0]).toFixed(0),
      ]),
    ),
  deadlines: ({ waiting, micros, p50, p99, p100 }) =>
    table(
      [
        'Deadlines',
        'requests waiting at once',
        'answered after, ms: p50',
        'p99',
        'p100',
        'CPU time of each, µs',
      ],
      [['all answered 504', waiting, p50.toFixed(1), p99.toFixed(1), p100.toFixed(1), micros.toFixed(0)]],
    ),
};

async function main() {
  const options = readCommandLine({
    only: { type: 'string', multiple: true, default: Object.keys(MEASURES) },
    entry: { type: 'string', default: 'express-hangup' },
    sets: { type: 'string' },
  });
  const entry = createRequire(import.meta.url).resolve(options.entry);
  const plan = options.quick ? QUICK : FULL;
  const all = {};
  const print = (text) => options.json || console.log(text);
  print(
    `${machine()}${options.quick ? '. A quick run: it shows that the benchmarks run, and nothing else.' : ''}\n`,
  );
  for (const node of options.node) {
    const version = versionOf(node);
    print(`## Node ${version}\n`);
    const load = await startProcess(LOAD, { node });
    for (const name of options.only) {
      const result = await MEASURES[name](node, load, entry, {
        ...plan[name],
        ...(options.sets !== undefined && { sets: Number(options.sets) }),
      });
      (all[version] ??= {})[name] = result;
      print(`${PRINT[name](result)}\n`);
    }
    await load.stop();
  }
  if (options.json) console.log(JSON.stringify({ machine: machine(), plan, results: all }, undefined, 2));
}

await main();
