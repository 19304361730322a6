// What hangup(), hangupProxy() and diagnose() cost in instructions of the processor for each request, counted by valgrind.
// A count hardly depends on what else the machine does, as time does: it shows differences that are far below the error of
// bench/core.mjs. It says nothing of what the kernel does, nor of how long an instruction takes.
//
//   npm run build && node bench/instructions.mjs [--quick] [--only core|proxy|diagnose] [--node <path>]    needs valgrind
//
// V8 compiles while it runs: two counts of the same thing are up to 1 % apart.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { readCommandLine } from './lib/command-line.mjs';
import { startProcess } from './lib/measured-process.mjs';
import { table, versionOf } from './lib/report.mjs';

const SERVER = new URL('./instructions-server.mjs', import.meta.url).pathname;
const LOAD = new URL('./lib/load-process.mjs', import.meta.url).pathname;
const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

/** Each with what it is compared to. */
const GROUPS = {
  core: [
    ['bare', 'bare'],
    ['an empty middleware', 'bare'],
    ['hangup(), signal unread', 'an empty middleware'],
    ['an empty middleware, an AbortController kept', 'an empty middleware'],
    ['hangup(), signal read', 'an empty middleware, an AbortController kept'],
  ],
  proxy: [
    ['HPM 4 after hangup()', 'HPM 4 after hangup()'],
    ['HPM 4 with hangupProxy()', 'HPM 4 after hangup()'],
    ['HPM 3 after hangup()', 'HPM 3 after hangup()'],
    ['HPM 3 with hangupProxy()', 'HPM 3 after hangup()'],
  ],
  diagnose: [
    ['global fetch', 'global fetch'],
    ['global fetch, diagnose() on', 'global fetch'],
    ['node:http', 'node:http'],
    ['node:http, diagnose() on', 'node:http'],
  ],
};

const { quick, only, node } = readCommandLine({ only: { type: 'string' } });
// Between the two V8 has compiled all that it will compile.
const [FROM, TO] = quick ? [20, 40] : [8_000, 12_000];

if (spawnSync('valgrind', ['--version']).error) {
  console.error('This needs valgrind: apt-get install valgrind');
  process.exit(1);
}
const upstream = http.createServer((req, res) => res.end('{"id":7,"name":"Ada"}'));
upstream.keepAliveTimeout = 600_000;
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const load = await startProcess(LOAD);

for (const path of node) {
  for (const [name, rows] of Object.entries(GROUPS)) {
    if (only !== undefined && only !== name) continue;
    const counts = {};
    for (const [subject] of rows) counts[subject] = await perRequest(path, subject);
    const cells = rows.map(([subject, base]) => [
      subject,
      Math.round(counts[subject] / 1000),
      base === subject ? '' : `${(counts[subject] / counts[base]).toFixed(3)} times ${base}`,
    ]);
    console.log(`\nNode ${versionOf(path)}\n`);
    console.log(table(['', 'thousand instructions for each request', ''], cells));
  }
}
await load.stop();
upstream.close().closeAllConnections();

/** What the start costs is in both counts, and not in their difference. */
async function perRequest(path, subject) {
  const [few, many] = await Promise.all([count(path, subject, FROM), count(path, subject, TO)]);
  return (many - few) / (TO - FROM);
}

async function count(path, subject, requests) {
  const target = `http://127.0.0.1:${upstream.address().port}`;
  const program = [path, '--single-threaded', '--hash-seed=1', '--random-seed=1', SERVER, subject, target];
  const child = spawn(
    'valgrind',
    ['--tool=callgrind', '--callgrind-out-file=/dev/null', '--smc-check=all-non-file', ...program],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_ENV: 'production' } },
  );
  const said = text(child.stderr);
  const [port] = (await once(child.stdout.setEncoding('utf8'), 'data')).map(Number);
  await load.call('run', { port, requests, connections: 4, request: REQUEST });
  await load.call('close', { port });
  http.get({ port, host: '127.0.0.1', path: '/quit', agent: false }).on('error', () => undefined);
  const collected = /Collected *: *(\d+)/.exec(await said);
  if (!collected) throw new Error(`${subject}: ${await said}`);
  return Number(collected[1]);
}
