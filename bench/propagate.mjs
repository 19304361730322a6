// What `propagate: true` costs beside `context: true`: the CPU time for each request of an Express app, whose process does
// nothing else. Subjects take turns in short rounds, each in a process of its own, so that all see the same weather; compared
// are neighbouring rounds. A subject that stands there twice shows the error of the rest.
//
//   npm run build && node bench/propagate.mjs [--quick] [--node <path>]
import { once } from 'node:events';
import http from 'node:http';
import { readCommandLine } from './lib/command-line.mjs';
import { startProcess } from './lib/measured-process.mjs';
import { table, versionOf } from './lib/report.mjs';
import { median, quantile } from './lib/statistics.mjs';

const SERVER = new URL('./calling-server.mjs', import.meta.url).pathname;
const LOAD = new URL('./lib/load-process.mjs', import.meta.url).pathname;
const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

/** Each with what it is compared to. */
const SUBJECTS = [
  ['no call, context'],
  ['no call, context', 0],
  ['no call, propagate', 0],
  ['global fetch, context'],
  ['global fetch, context', 3],
  ['global fetch, propagate', 3],
  ['node:http, context'],
  ['node:http, context', 6],
  ['node:http, propagate', 6],
];

const { quick, node } = readCommandLine();
const plan = quick ? { warmUp: 50, rounds: 2, requests: 50 } : { warmUp: 6000, rounds: 31, requests: 600 };

const upstream = http.createServer((req, res) => res.end('{"id":7,"name":"Ada"}'));
upstream.keepAliveTimeout = 600_000;
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const env = { BENCH_UPSTREAM: `http://127.0.0.1:${upstream.address().port}` };
const load = await startProcess(LOAD);

for (const path of node) {
  const servers = [];
  for (const [subject] of SUBJECTS)
    servers.push(await startProcess(SERVER, { node: path, args: [subject], env }));
  const send = ({ port }, requests) => load.call('run', { port, requests, connections: 4, request: REQUEST });
  for (const server of servers) await send(server, plan.warmUp);
  const times = servers.map(() => []);
  for (let round = 0; round < plan.rounds; round++) {
    for (const [i, server] of servers.entries()) {
      const before = await server.cpu();
      await send(server, plan.requests);
      times[i].push(((await server.cpu()) - before) / plan.requests);
    }
  }
  console.log(`\nNode ${versionOf(path)}\n`);
  console.log(table(['CPU time for each request', 'median, µs', 'times', 'quartiles'], rowsOf(times)));
  for (const server of servers) {
    await load.call('close', { port: server.port });
    await server.stop();
  }
}
await load.stop();
upstream.close().closeAllConnections();

function rowsOf(times) {
  return SUBJECTS.map(([subject, base], i) => {
    const ratios = base === undefined ? [] : times[i].map((time, round) => time / times[base][round]);
    const quartiles = [0.25, 0.75].map((share) => quantile(ratios, share).toFixed(3)).join(' to ');
    return [
      subject,
      median(times[i]).toFixed(0),
      ...(base === undefined ? ['', ''] : [median(ratios).toFixed(3), quartiles]),
    ];
  });
}
