// A long run: hundreds of thousands of mixed requests, clients that leave at random, faults, deadlines; then heap, sockets,
// timers and listeners of the app must be back where they were. `npm run soak` (run `npm run build` before).
//
//   --requests N     default 300000
//   --concurrency N  default 100
//   --deadline MS    default 60
//   --node PATH      the Node binary for the app (default: this one)
//   --seed N         what is random follows from it (default 1)
import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { clientThatHangsUp, faultyUpstream } from 'express-hangup/testing';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '300000' },
    concurrency: { type: 'string', default: '100' },
    deadline: { type: 'string', default: '60' },
    node: { type: 'string', default: process.execPath },
    seed: { type: 'string', default: '1' },
  },
});
const requests = Number(values.requests);
const deadline = Number(values.deadline);
/** After so many requests the app is warm: compiled, its pools filled. */
const warm = Math.min(20_000, Math.ceil(requests / 5));
/** How much the heap may grow, in bytes, whatever the number of requests. */
const SLACK = 6 * 2 ** 20;

// Mulberry32: a small generator that gives the same numbers for the same seed.
let seed = Number(values.seed);
function random() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const oneOf = (list) => list[Math.floor(random() * list.length)];

const ROUTES = ['fetch', 'fetch', 'http', 'http', 'upstream', 'upstream', 'proxy', 'proxy', 'late', 'never'];
const FAULTS = [
  ...Array(14).fill('ok'),
  ...[
    'slow?ms=20',
    'drip?ms=1',
    'reset',
    'close',
    'reset-body?ms=2',
    'close-body?ms=2',
    'close-chunk?ms=2',
    'garbage',
  ],
  ...['hang', 'hang-body', 'stale', 'unavailable?retryAfter=0', 'header-overflow'],
];
const BODY = JSON.stringify({ soak: 'x'.repeat(500) });

const upstream = await faultyUpstream();
const script = fileURLToPath(new URL('soak/app.mjs', import.meta.url));
const app = fork(script, [upstream.url, String(deadline)], {
  execPath: values.node,
  execArgv: ['--expose-gc'],
});
const [{ port }] = await once(app, 'message');
app.on('exit', (code) => {
  if (code === 0) return;
  process.stdout.write(`The app has ended with ${code}.\n`);
  process.exit(1);
});

async function tell(command) {
  app.send(command);
  const [answer] = await once(app, 'message');
  return answer;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: Number(values.concurrency) });
const counts = new Map();
const count = (what) => counts.set(what, (counts.get(what) ?? 0) + 1);

/** An ordinary client on a kept connection, which loses its patience now and then. */
function keptClient(path, method) {
  return new Promise((resolve) => {
    const options = {
      host: '127.0.0.1',
      port,
      agent,
      method,
      path,
      headers: method === 'GET' ? {} : { 'content-type': 'application/json' },
    };
    const req = http.request(options, (res) => {
      res.resume();
      res.on('end', () => count(res.complete ? res.statusCode : 'broken off'));
      res.on('error', () => count('broken off'));
      res.on('close', resolve);
    });
    req.on('error', (error) => {
      count(left ? 'left' : `error ${error.code}`);
      resolve();
    });
    let left = false;
    if (random() < 0.2) {
      const timer = setTimeout(() => {
        left = true;
        req.destroy();
        resolve();
      }, random() * deadline);
      req.on('close', () => clearTimeout(timer));
    }
    req.end(method === 'GET' ? undefined : BODY);
  });
}

/** A client with a connection of its own, which leaves in any way that there is. */
async function rudeClient(path, method) {
  const leave = oneOf([
    'before-body',
    'during-body',
    'after-request',
    'after-request',
    'during-response',
    'never',
  ]);
  const how = oneOf(['fin', 'rst', 'half-close']);
  const headers = { 'content-type': 'application/json' };
  const options = {
    path,
    method,
    headers,
    leave,
    how,
    after: Math.floor(random() * 20),
    patience: 10_000,
  };
  const account = await clientThatHangsUp(
    `http://127.0.0.1:${port}`,
    method === 'GET' ? options : { ...options, body: BODY },
  );
  count(account.ended === 'we-left' ? 'left' : (account.response?.status ?? `ended ${account.ended}`));
}

async function play(total) {
  let begun = 0;
  const worker = async () => {
    while (begun++ < total) {
      if (begun % 2000 === 0) upstream.forget();
      const path = `/${oneOf(ROUTES)}/${oneOf(FAULTS)}`;
      const method = oneOf(['GET', 'POST']);
      await (random() < 0.15 ? rudeClient(path, method) : keptClient(path, method));
    }
  };
  await Promise.all(Array.from({ length: Number(values.concurrency) }, worker));
}

const start = performance.now();
await play(warm);
const before = await tell('watch');
await play(requests - warm);
agent.destroy();
const after = await tell('report');
const seconds = (performance.now() - start) / 1000;

const mb = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
const growth = after.heapUsed - before.heapUsed;
const sorted = [...counts].sort((a, b) => b[1] - a[1]).map(([what, times]) => `${what}: ${times}`);
process.stdout.write(
  [
    `${requests} requests in ${seconds.toFixed(0)} s (${Math.round(requests / seconds)} per second)`,
    `what came back: ${sorted.join(', ')}`,
    `heap: ${mb(before.heapUsed)} after ${warm} requests, ${mb(after.heapUsed)} at the end`,
    `resident: ${mb(before.rss)}, ${mb(after.rss)}`,
    `connections of the app's server: ${after.connections}`,
    `left behind: ${after.leaks.length === 0 ? 'nothing' : after.leaks.join('\n')}`,
    `warnings of the process: ${after.warnings.length === 0 ? 'none' : after.warnings.join('\n')}`,
    '',
  ].join('\n'),
);
const right =
  growth < SLACK && after.leaks.length === 0 && after.warnings.length === 0 && after.connections === 0;
process.stdout.write(right ? 'Everything is back where it was.\n' : 'Something was left behind.\n');
app.send('end');
await upstream.close();
process.exitCode = right ? 0 : 1;
