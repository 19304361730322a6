// What diagnose() costs: the CPU time for each request of an Express app that calls an upstream by fetch, with diagnose() and
// without. Two processes, one of each kind, are loaded in turn, so that both have their code optimised for what they do.
// Run it after `npm run build`: node bench/diagnose.mjs [rounds] [requests per round]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';

const [rounds = 20, requests = 1000] = process.argv.slice(2).map(Number);
const CONNECTIONS = 10;
const roles = { upstream, load, app };

await (roles[process.env.BENCH_ROLE] ?? measure)();

function upstream() {
  const server = http.createServer((_req, res) => res.end('{"ok":true}'));
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}/`));
}

function load() {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const get = (url) =>
    new Promise((resolve, reject) => {
      http.get(url, { agent }, (res) => res.resume().on('end', resolve)).on('error', reject);
    });
  process.on('message', async ({ url, count }) => {
    let left = count;
    const worker = async () => {
      while (left-- > 0) await get(url);
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    process.send('done');
  });
}

async function app() {
  const { default: express } = await import('express');
  const { hangup } = await import('express-hangup');
  const { diagnose } = await import('express-hangup/diagnose');
  if (process.env.BENCH_DIAGNOSE) diagnose();
  const server = express()
    .use(hangup())
    .get('/items/:id', async (req, res) => {
      const answer = await fetch(process.env.BENCH_UPSTREAM, { signal: req.signal });
      res.type('json').send(await answer.text());
    })
    .listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}/items/7`));
  server.keepAliveTimeout = 60_000;
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send(user + system);
  });
}

async function measure() {
  const children = [];
  const start = (role, env = {}) => {
    const child = fork(new URL(import.meta.url).pathname, {
      env: { ...process.env, BENCH_ROLE: role, ...env },
    });
    children.push(child);
    return child;
  };
  const answerOf = async (child) => (await once(child, 'message'))[0];
  const BENCH_UPSTREAM = await answerOf(start('upstream'));
  const loader = start('load');
  const apps = {};
  for (const [name, env] of [
    ['off', {}],
    ['on', { BENCH_DIAGNOSE: '1' }],
  ]) {
    const child = start('app', { BENCH_UPSTREAM, ...env });
    apps[name] = { child, url: await answerOf(child), times: [] };
  }
  const cpuOf = (child) => {
    child.send('cpu');
    return answerOf(child);
  };
  const round = async ({ child, url }) => {
    const before = await cpuOf(child);
    loader.send({ url, count: requests });
    await answerOf(loader);
    return ((await cpuOf(child)) - before) / requests;
  };

  for (let at = 0; at < 4; at++) for (const one of Object.values(apps)) await round(one);
  for (let at = 0; at < rounds; at++) {
    // Which goes first alternates too, so that a drift of the machine favours neither.
    for (const name of at % 2 === 0 ? ['off', 'on'] : ['on', 'off'])
      apps[name].times.push(await round(apps[name]));
  }
  const quantile = (values, share) =>
    [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)];
  const rounded = (value) => Number(value.toFixed(3));
  const { off, on } = apps;
  const ratios = on.times.map((time, at) => time / off.times[at]);
  const result = {
    node: process.version,
    rounds,
    requests,
    cpuUsOff: rounded(quantile(off.times, 0.5)),
    cpuUsOn: rounded(quantile(on.times, 0.5)),
    ratioOfMedians: rounded(quantile(on.times, 0.5) / quantile(off.times, 0.5)),
    medianOfRatios: rounded(quantile(ratios, 0.5)),
    ratioOfBestQuarters: rounded(quantile(on.times, 0.25) / quantile(off.times, 0.25)),
  };
  console.log(JSON.stringify(result));
  for (const child of children) child.kill();
}
