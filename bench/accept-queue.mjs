// What closing a listener loses: the connections that wait in the kernel's accept queue are reset. New connections come at a
// steady rate (at random moments), each with one POST; the server is told to close its listener; counted are the requests that
// were neither answered nor refused. A front end takes a refused connection to another instance, but not a POST that was reset.
// Behind nginx there are two instances, and one of them is closed.
//
//   npm run build && node bench/accept-queue.mjs [--quick] [--json] [--restarts 20] [--rate 100 --rate 3000] [--way 'server.close()']
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { drainable } from 'express-hangup';
import { readCommandLine } from './lib/command-line.mjs';
import { freePort, startNginx } from './lib/nginx.mjs';
import { machine, table, versionOf } from './lib/report.mjs';

const FILE = fileURLToPath(import.meta.url);
/** How the listener is closed, and what else there is: a second process, or nginx with more lines in its configuration. */
const WAYS = {
  'server.close()': { end: 'close' },
  'after 1 ms without a connection': { end: '1' },
  'after 5 ms': { end: '5' },
  'after 10 ms': { end: '10' },
  'drainable()': { end: 'drainable' },
  reusePort: { end: 'close', next: 'reusePort' },
  'socket activation': { end: 'close', next: 'held' },
  'server.close() behind nginx': { end: 'close', nginx: { upstream: '', location: '' } },
  'server.close() … with keepalive': { end: 'close', nginx: { upstream: 'keepalive 16;', location: '' } },
  'server.close() … with non_idempotent': {
    end: 'close',
    nginx: { upstream: '', location: 'proxy_next_upstream error timeout non_idempotent;' },
  },
  'drainable() behind nginx': { end: 'drainable', nginx: { upstream: '', location: '' } },
  'drainable() … with keepalive': { end: 'drainable', nginx: { upstream: 'keepalive 16;', location: '' } },
};
/** The listener is closed after this long in any case. */
const PATIENCE_MS = 1000;
/** How long the load lasts before the signal, and after the listener has closed. */
const [BEFORE_MS, AFTER_MS] = [400, 150];

if (process.argv[2] === 'server') serve();
else if (process.argv[2] === 'load') generate();
else await measure();

function serve() {
  const { END, NEXT, PORT } = process.env;
  const server = http.createServer((req, res) => {
    req.resume().on('end', () => {
      // A little work, as every app has.
      const until = performance.now() + 0.05;
      while (performance.now() < until);
      res.end('{}');
    });
  });
  server.keepAliveTimeout = 65_000;
  if (END === 'drainable') drainable(server);
  else process.once('SIGTERM', () => (END === 'close' ? server.close() : closeAfter(server, Number(END))));
  const port = Number(PORT);
  const where =
    NEXT === 'held' ? { fd: 3 } : { port, host: '127.0.0.1', backlog: 4096, reusePort: NEXT === 'reusePort' };
  server.listen(where, () => process.send('listening'));
  const watch = setInterval(() => {
    if (server.listening) return;
    clearInterval(watch);
    process.send('stopped');
  }, 1);
  process.on('disconnect', () => process.exit());
}

/** Closes a server when no connection has come for `quietMs`. */
function closeAfter(server, quietMs) {
  const startedAt = performance.now();
  let cameAt = startedAt;
  server.on('connection', () => (cameAt = performance.now()));
  setImmediate(function look() {
    const now = performance.now();
    if (now - cameAt >= quietMs || now - startedAt >= PATIENCE_MS) server.close();
    else setImmediate(look);
  });
}

/** Connects at random moments, `RATE` times a second on average, until told to stop; then tells what became of it. */
function generate() {
  const { RATE, PORT } = process.env;
  const count = { ok: 0, refused: 0, lost: 0 };
  let open = 0;
  let isOver = false;
  const settle = (outcome) => {
    count[outcome] += 1;
    open -= 1;
    if (isOver && open === 0) process.send(count, () => process.exit());
  };
  const connect = () => {
    open += 1;
    let outcome = 'lost';
    // Many clients, as far as the kernel can tell: one address has but 28,000 ports.
    const localAddress = `127.0.0.${2 + Math.floor(Math.random() * 200)}`;
    const socket = net.connect({ port: Number(PORT), host: '127.0.0.1', localAddress });
    socket.on('connect', () =>
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx'),
    );
    socket.on('data', (chunk) => {
      if (chunk.toString('latin1').startsWith('HTTP/1.1 200')) outcome = 'ok';
    });
    socket.on('error', (error) => error.code === 'ECONNREFUSED' && (outcome = 'refused'));
    socket.on('close', () => settle(outcome));
  };
  let next = performance.now();
  const timer = setInterval(() => {
    for (; next < performance.now(); next += (-Math.log(1 - Math.random()) * 1000) / Number(RATE)) connect();
  }, 1);
  process.on('disconnect', () => process.exit());
  process.on('message', () => {
    clearInterval(timer);
    isOver = true;
    if (open === 0) process.send(count, () => process.exit());
  });
}

async function measure() {
  const options = readCommandLine({
    restarts: { type: 'string', default: '20' },
    rate: { type: 'string', multiple: true, default: ['100', '300', '1000', '3000'] },
    way: { type: 'string', multiple: true, default: Object.keys(WAYS) },
  });
  const [node] = options.node;
  const [rates, restarts] = options.quick ? [['300'], 1] : [options.rate, Number(options.restarts)];
  const unknown = options.way.find((way) => !(way in WAYS));
  if (unknown !== undefined) throw new Error(`There is no way "${unknown}".`);
  const rows = [];
  for (const way of options.way) {
    const cells = [];
    for (const rate of rates)
      cells.push(isPossible(node, way) ? await total(node, way, rate, restarts) : undefined);
    rows.push([way, ...cells]);
  }
  if (options.json) {
    const asJson = ([way, ...cells]) => ({
      way,
      ...Object.fromEntries(cells.map((cell, index) => [rates[index], cell])),
    });
    console.log(JSON.stringify({ node: versionOf(node), restarts, rows: rows.map(asJson) }));
    return;
  }
  console.log(
    `Requests lost in ${restarts} closings of a listener (of those sent); Node ${versionOf(node)}; ${machine()}\n`,
  );
  const heads = ['', ...rates.map((rate) => `${rate} connections/s`)];
  console.log(
    table(
      heads,
      rows.map(([way, ...cells]) => [
        way,
        ...cells.map((cell) => (cell ? `${cell.lost} of ${cell.sent}` : '—')),
      ]),
    ),
  );
}

/** Node 20 and 22 below 22.12 do not know `reusePort`, and two processes cannot listen on one port. */
function isPossible(node, way) {
  const [major, minor] = versionOf(node).split('.').map(Number);
  return WAYS[way].next !== 'reusePort' || major > 22 || (major === 22 && minor >= 12);
}

async function total(node, way, rate, restarts) {
  const sum = { lost: 0, sent: 0 };
  for (let restart = 0; restart < restarts; restart += 1) {
    const { ok, refused, lost } = await closing(node, way, rate);
    sum.lost += lost;
    sum.sent += ok + refused + lost;
  }
  return sum;
}

/** One closing of a listener under load. */
async function closing(node, way, rate) {
  const { end, next, nginx } = WAYS[way];
  // With socket activation this process holds the socket, like systemd, and the next instance gets it, too.
  const held = net.createServer();
  held.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(held, 'listening');
  const { port } = held.address();
  const fd = held._handle.fd;
  if (next !== 'held') await new Promise((resolve) => held.close(resolve));
  const start = async (ownPort) => {
    const env = { ...process.env, END: end, NEXT: next ?? '', PORT: String(ownPort) };
    const stdio = ['ignore', 'inherit', 'inherit', next === 'held' ? fd : 'ignore', 'ipc'];
    const child = spawn(node, [FILE, 'server'], { env, stdio });
    await once(child, 'message');
    return child;
  };
  const old = await start(port);
  const otherPort = nginx ? await freePort() : port;
  // Where two can listen at the same time the next one is there before the old one goes.
  const other = next !== undefined || nginx ? await start(otherPort) : undefined;
  if (next === 'held') held._handle.close();
  const front = nginx ? await startNginx({ ...nginx, ports: [port, otherPort] }) : undefined;
  const load = fork(FILE, ['load'], {
    env: { ...process.env, RATE: rate, PORT: String(front?.port ?? port) },
  });
  await new Promise((resolve) => setTimeout(resolve, BEFORE_MS));
  old.kill('SIGTERM');
  await once(old, 'message');
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  load.send('stop');
  const [count] = await once(load, 'message');
  for (const child of [old, other]) child?.kill('SIGKILL');
  await front?.stop();
  return count;
}
