// Rolling restarts of two instances behind a real nginx (with keepalive) and a real HAProxy, under keep-alive clients that send
// GETs and POSTs: how many requests fail, beside other packages that end a server. Those live in ecosystem/.
//
//   npm run build && npm ci --prefix ecosystem && node bench/restarts.mjs [--quick] [--json] [--restarts 10] [--way drainable]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { drainable } from 'express-hangup';
import { readCommandLine } from './lib/command-line.mjs';
import { freePort, startNginx } from './lib/nginx.mjs';
import { machine, table, versionOf } from './lib/report.mjs';

const FILE = fileURLToPath(import.meta.url);
const peer = createRequire(new URL('../ecosystem/package.json', import.meta.url));
const CLIENTS = 12;
/** How long the load goes on between two restarts, and how long an instance may take to end before it is killed. */
const [BETWEEN_MS, GRACE_MS] = [700, 8000];
/** HAProxy hears of it by a failing check, nginx by a refused connection: the time that each package is given for that. */
const DELAY_MS = { nginx: 0, haproxy: 400 };

/** How each package ends a server, as its own documentation has it. */
const WAYS = {
  'server.close()': (server) => onSignal(() => server.close()),
  drainable: (server, delay) => drainable(server, { delay }).readiness,
  stoppable: (server) => {
    const stopping = peer('stoppable')(server, 5000);
    return onSignal(() => stopping.stop());
  },
  'http-terminator': (server) => {
    const { createHttpTerminator } = peer('http-terminator');
    const terminator = createHttpTerminator({ server, gracefulTerminationTimeout: 5000 });
    return onSignal(() => void terminator.terminate().then(() => process.exit(0)));
  },
  terminus: (server, delay) => {
    const { createTerminus } = peer('@godaddy/terminus');
    const beforeShutdown = () => pause(delay);
    createTerminus(server, {
      signal: 'SIGTERM',
      timeout: 5000,
      beforeShutdown,
      healthChecks: { '/ready': () => Promise.resolve() },
    });
  },
  'close-with-grace': (server, delay) => {
    const close = peer('close-with-grace');
    const { readiness, end } = endingReadiness();
    close({ delay: 5000 }, async () => {
      end();
      await pause(delay);
      await new Promise((resolve) => server.close(resolve));
    });
    return readiness;
  },
  'http-graceful-shutdown': (server, delay) => {
    const { readiness, end } = endingReadiness();
    const preShutdown = () => (end(), pause(delay));
    peer('http-graceful-shutdown')(server, { timeout: 5000, preShutdown });
    return readiness;
  },
};

if (process.argv[2] === 'server') serve();
else await compare();

/** Calls `close` at the signal, after the delay; gives a readiness that is 503 from the signal on. */
function onSignal(close) {
  const { readiness, end } = endingReadiness();
  process.once('SIGTERM', () => {
    end();
    setTimeout(close, Number(process.env.DELAY));
  });
  return readiness;
}

/** A readiness that is 200, and 503 after `end()`. */
function endingReadiness() {
  let status = 200;
  const readiness = (req, res) => res.writeHead(status).end();
  const end = () => {
    status = 503;
  };
  return { readiness, end };
}

function serve() {
  const { WAY, DELAY, PORT } = process.env;
  let readiness = (req, res) => res.end();
  const server = http.createServer((req, res) => {
    if (req.url === '/ready') readiness(req, res);
    else req.resume().on('end', () => setTimeout(() => res.end('{}'), 5));
  });
  server.keepAliveTimeout = 65_000;
  readiness = WAYS[WAY](server, Number(DELAY)) ?? readiness;
  server.listen(Number(PORT), '127.0.0.1', () => process.send('listening', () => process.disconnect()));
}

async function compare() {
  const options = readCommandLine({
    restarts: { type: 'string', default: '10' },
    way: { type: 'string', multiple: true, default: Object.keys(WAYS) },
  });
  const [node] = options.node;
  const restarts = options.quick ? 1 : Number(options.restarts);
  const ways = options.quick ? ['drainable'] : options.way;
  const rows = [];
  for (const way of ways) {
    const cells = { way };
    for (const proxy of ['nginx', 'haproxy'])
      cells[proxy] = await restartsBehind(proxy, { node, way, restarts });
    rows.push(cells);
  }
  if (options.json) return console.log(JSON.stringify({ node: versionOf(node), restarts, rows }));
  console.log(`Requests that failed in ${restarts} restarts; Node ${versionOf(node)}; ${machine()}\n`);
  const cell = ({ failed, sent, killed }) =>
    `${failed} of ${sent}${killed > 0 ? `, ${killed} killed after ${GRACE_MS / 1000} s` : ''}`;
  console.log(
    table(
      ['', 'behind nginx', 'behind HAProxy'],
      rows.map(({ way, nginx, haproxy }) => [way, cell(nginx), cell(haproxy)]),
    ),
  );
}

async function restartsBehind(proxy, { node, way, restarts }) {
  const directory = mkdtempSync(join(tmpdir(), 'express-hangup-restarts-'));
  const [one, two] = [await freePort(), await freePort()];
  const start = async (port) => {
    const env = { ...process.env, WAY: way, DELAY: String(DELAY_MS[proxy]), PORT: String(port) };
    const child = spawn(node, [FILE, 'server'], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await once(child, 'message');
    return child;
  };
  const instances = [await start(one), await start(two)];
  const front =
    proxy === 'nginx'
      ? await startNginx({ ports: [one, two], upstream: 'keepalive 16;' })
      : await startHaproxy(directory, await freePort(), [one, two]);
  const load = steadyLoad(front.port);
  let killed = 0;
  for (let restart = 0; restart < restarts; restart += 1) {
    await pause(BETWEEN_MS);
    const index = restart % 2;
    killed += await stop(instances[index]);
    instances[index] = await start([one, two][index]);
    // HAProxy checks health: the next instance ends only when HAProxy has found this one again.
    if (proxy === 'haproxy') while (!(await areUp(directory))) await pause(20);
  }
  await pause(BETWEEN_MS);
  const result = await load.stop();
  await front.stop();
  for (const child of instances) {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(directory, { recursive: true, force: true });
  return { ...result, killed };
}

/** Whether HAProxy takes both instances for up. */
async function areUp(directory) {
  const socket = net.connect(join(directory, 'socket'), () => socket.write('show stat\n'));
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text.split('\n').filter((line) => /^app,instance-\d,.*,UP,/.test(line)).length === 2;
}

/** Ends an instance; gives 1 if it had to be killed, otherwise 0. */
async function stop(child) {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  const [, signal] = await exited;
  clearTimeout(timer);
  return signal === 'SIGKILL' ? 1 : 0;
}

function steadyLoad(port) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
  const count = { failed: 0, sent: 0, how: {} };
  let isOver = false;
  const client = async (first) => {
    for (let turn = first; !isOver; turn += 1) {
      const failure = await ask(port, agent, turn % 2 === 0 ? 'GET' : 'POST');
      count.sent += 1;
      if (failure === '') continue;
      count.failed += 1;
      count.how[failure] = (count.how[failure] ?? 0) + 1;
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, index) => client(index));
  const stopLoad = async () => {
    isOver = true;
    await Promise.all(clients);
    agent.destroy();
    return count;
  };
  return { stop: stopLoad };
}

/** Gives how it failed, or ''. */
function ask(port, agent, method) {
  return new Promise((resolve) => {
    const headers = method === 'POST' ? { 'Content-Length': 1 } : {};
    const req = http.request({ host: '127.0.0.1', port, agent, method, headers }, (res) => {
      const isGood = () => res.complete && res.statusCode === 200;
      res.resume().on('close', () => resolve(isGood() ? '' : `${method} ${res.statusCode}`));
    });
    req.on('error', (error) => resolve(`${method} ${error.code}`));
    req.end(method === 'POST' ? 'x' : undefined);
  });
}

async function startHaproxy(directory, front, ports) {
  const file = join(directory, 'haproxy.conf');
  writeFileSync(file, haproxyConfig(directory, front, ports));
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn('haproxy', ['-db', '-f', file], { env, stdio: 'ignore' });
  const agent = new http.Agent();
  while ((await ask(front, agent, 'GET')) !== '') {
    if (child.exitCode !== null) throw new Error('HAProxy ended at once.');
    await pause(20);
  }
  const stop = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return { port: front, stop };
}

function haproxyConfig(directory, front, ports) {
  const servers = ports.map((port, index) => `  server instance-${index} 127.0.0.1:${port}`);
  return `global
  stats socket ${directory}/socket
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 5s
frontend front
  bind 127.0.0.1:${front}
  default_backend app
backend app
  option httpchk GET /ready
  option redispatch
  retries 3
  http-reuse always
  default-server check inter 50ms fall 1 rise 1
${servers.join('\n')}
`;
}
