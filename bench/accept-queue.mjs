// What closing a listener loses: the connections that wait in the kernel's accept queue are reset. New connections come at a
// steady rate (at random moments), each with one POST; the server is told to close its listener; counted are the requests that
// were neither answered nor refused. A front end takes a refused connection to another instance, but not a POST that was reset.
//
//   npm run build && node bench/accept-queue.mjs [--quick] [--json] [--restarts 20] [--rate 100 --rate 3000] [--way 'server.close()']
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { drainable } from 'express-hangup';
import { readCommandLine } from './lib/command-line.mjs';
import { machine, table, versionOf } from './lib/report.mjs';

const FILE = fileURLToPath(import.meta.url);
const WAYS = ['server.close()', 'drainable()', 'reusePort', 'socket activation'];
/** How long the load lasts before the signal, and after the listener has closed. */
const [BEFORE_MS, AFTER_MS] = [400, 150];

if (process.argv[2] === 'server') serve();
else if (process.argv[2] === 'load') generate();
else await measure();

function serve() {
  const { WAY, PORT } = process.env;
  const server = http.createServer((req, res) => {
    req.resume().on('end', () => {
      // A little work, as every app has.
      const until = performance.now() + 0.05;
      while (performance.now() < until);
      res.end('{}');
    });
  });
  if (WAY === 'drainable()') drainable(server);
  else process.once('SIGTERM', () => server.close());
  const port = Number(PORT);
  const where =
    WAY === 'socket activation'
      ? { fd: 3 }
      : { port, host: '127.0.0.1', backlog: 4096, reusePort: WAY === 'reusePort' };
  server.listen(where, () => process.send('listening'));
  const watch = setInterval(() => {
    if (server.listening) return;
    clearInterval(watch);
    process.send('stopped');
    // What holds the process now is the channel to its parent.
    setTimeout(() => process.exit(), 500);
  }, 1);
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
    socket.on('data', () => (outcome = 'ok'));
    socket.on('error', (error) => error.code === 'ECONNREFUSED' && (outcome = 'refused'));
    socket.on('close', () => settle(outcome));
  };
  let next = performance.now();
  const timer = setInterval(() => {
    for (; next < performance.now(); next += (-Math.log(1 - Math.random()) * 1000) / Number(RATE)) connect();
  }, 1);
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
    way: { type: 'string', multiple: true, default: WAYS },
  });
  const [node] = options.node;
  const [rates, restarts] = options.quick ? [['300'], 1] : [options.rate, Number(options.restarts)];
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
  return way !== 'reusePort' || major > 22 || (major === 22 && minor >= 12);
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
  // With socket activation this process holds the socket, like systemd, and the next instance gets it, too.
  const held = net.createServer();
  held.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(held, 'listening');
  const { port } = held.address();
  const isHeld = way === 'socket activation';
  const fd = held._handle.fd;
  if (!isHeld) await new Promise((resolve) => held.close(resolve));
  const start = async () => {
    const stdio = ['ignore', 'inherit', 'inherit', isHeld ? fd : 'ignore', 'ipc'];
    const child = spawn(node, [FILE, 'server'], {
      env: { ...process.env, WAY: way, PORT: String(port) },
      stdio,
    });
    await once(child, 'message');
    return child;
  };
  const old = await start();
  // Where two can listen at the same time the next one is there before the old one goes.
  const next = isHeld || way === 'reusePort' ? await start() : undefined;
  if (isHeld) held._handle.close();
  const load = fork(FILE, ['load'], { env: { ...process.env, RATE: rate, PORT: String(port) } });
  await new Promise((resolve) => setTimeout(resolve, BEFORE_MS));
  old.kill('SIGTERM');
  await once(old, 'message');
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  load.send('stop');
  const [count] = await once(load, 'message');
  for (const child of [old, next]) child?.kill('SIGKILL');
  return count;
}
