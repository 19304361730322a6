// What diagnose() costs: CPU time of a process whose Express handler calls an upstream by fetch, with diagnose() on and off in
// alternating rounds. Run it after `npm run build`: node bench/diagnose.mjs [rounds] [requests per round]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { fileURLToPath } from 'node:url';

const [rounds, requests] = process.argv.slice(2).map(Number);
const ROUNDS = rounds || 20;
const REQUESTS = requests || 3000;
const CONNECTIONS = 10;

if (process.env.BENCH_ROLE === 'upstream') upstream();
else if (process.env.BENCH_ROLE === 'load') load();
else await measure();

function upstream() {
  const server = http.createServer((_req, res) => res.end('{"ok":true}'));
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

function load() {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const get = (url) =>
    new Promise((resolve, reject) =>
      http.get(url, { agent }, (res) => res.resume().on('end', resolve)).on('error', reject),
    );
  process.on('message', async ({ url, count }) => {
    let left = count;
    const worker = async () => {
      while (left-- > 0) await get(url);
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    process.send('done');
  });
}

async function child(role) {
  const process_ = fork(fileURLToPath(import.meta.url), { env: { ...process.env, BENCH_ROLE: role } });
  return process_;
}

async function measure() {
  const { default: express } = await import('express');
  const { hangup } = await import('express-hangup');
  const { diagnose } = await import('express-hangup/diagnose');
  const upstreamProcess = await child('upstream');
  const [port] = await once(upstreamProcess, 'message');
  const loader = await child('load');

  const app = express();
  app.use(hangup());
  app.get('/items/:id', async (req, res) => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: req.signal });
    res.type('json').send(await answer.text());
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/items/7`;

  const round = async (isOn) => {
    const diagnosis = isOn ? diagnose() : undefined;
    const before = process.cpuUsage();
    loader.send({ url, count: REQUESTS });
    await once(loader, 'message');
    const { user, system } = process.cpuUsage(before);
    diagnosis?.stop();
    return (user + system) / REQUESTS;
  };

  for (const isOn of [false, true, false, true]) await round(isOn);
  const times = { off: [], on: [] };
  for (let at = 0; at < ROUNDS; at++) {
    // Which goes first alternates too, so that a drift of the machine favours neither.
    for (const name of at % 2 === 0 ? ['off', 'on'] : ['on', 'off'])
      times[name].push(await round(name === 'on'));
  }
  const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  const ratios = times.on.map((on, at) => on / times.off[at]);
  console.log(
    JSON.stringify({
      node: process.version,
      rounds: ROUNDS,
      requests: REQUESTS,
      offUs: Number(median(times.off).toFixed(1)),
      onUs: Number(median(times.on).toFixed(1)),
      ratioOfMedians: Number((median(times.on) / median(times.off)).toFixed(3)),
      medianOfRatios: Number(median(ratios).toFixed(3)),
    }),
  );
  for (const one of [upstreamProcess, loader]) one.kill();
  server.close();
  server.closeAllConnections();
}
