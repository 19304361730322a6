// What hangupProxy() costs over plain http-proxy-middleware with the same agent: CPU time of the proxy's process and
// requests per second for a small GET, client and upstream being processes of their own. The variants take turns, so that
// a busy machine is unfair to all alike.
//
//   npm run build && node bench/proxy.mjs [--quick]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { hangup } from 'express-hangup';
import { hangupProxy } from 'express-hangup/proxy';

const AT_ONCE = 16;
const [role] = process.argv.slice(2);
const quick = process.argv.includes('--quick');

if (role === 'upstream') serveUpstream();
else if (role === 'client') serveClient();
else await (quick ? compare(250, 16) : compare(400, 100));

function serveUpstream() {
  const server = http.createServer((req, res) => res.end('{"id":7,"name":"Ada"}'));
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

function serveClient() {
  const agent = new http.Agent({ keepAlive: true });
  process.on('message', async ({ url, requests }) => {
    let left = requests;
    const lane = async () => {
      while (left-- > 0) await get(url, agent);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    process.send('done');
  });
}

function get(url, agent) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent }, (response) => {
      if (response.statusCode === 200) response.resume().on('end', resolve);
      else reject(new Error(`${url} answers ${response.statusCode}`));
    });
    request.on('error', reject);
  });
}

async function compare(requests, turns) {
  const self = fileURLToPath(import.meta.url);
  const [upstream, client] = ['upstream', 'client'].map((name) => fork(self, [name]));
  // Its error stands on the console already.
  for (const child of [upstream, client]) child.on('exit', (code) => code !== null && process.exit(1));
  const [port] = await once(upstream, 'message');
  const variants = await startVariants(`http://127.0.0.1:${port}`);
  const names = Object.keys(variants);
  const cpu = Object.fromEntries(names.map((name) => [name, []]));
  const wall = Object.fromEntries(names.map((name) => [name, []]));
  for (let turn = -8; turn < turns; turn++) {
    // In another order each time: who comes after whom must not matter.
    for (const name of turn % 2 === 0 ? names : names.toReversed()) {
      const result = await measure(client, variants[name].url, requests);
      if (turn < 0) continue;
      cpu[name].push(result.cpu);
      wall[name].push(result.wall);
    }
  }
  console.log(`Node ${process.version}, ${turns} turns of ${requests} requests, ${AT_ONCE} at a time`);
  console.table(
    names.map((name) => {
      const { against } = variants[name];
      const [own, other] = [lowerQuartile(cpu[name]), lowerQuartile(cpu[against])];
      const rate = 1 / lowerQuartile(wall[name]);
      const otherRate = 1 / lowerQuartile(wall[against]);
      return {
        name,
        'CPU µs': Number(own.toFixed(1)),
        'CPU ratio': Number((own / other).toFixed(3)),
        'requests/s': Math.round(rate * 1e6),
        'rate ratio': Number((rate / otherRate).toFixed(3)),
      };
    }),
  );
  for (const { server } of Object.values(variants)) server.close().closeAllConnections();
  upstream.kill();
  client.kill();
}

async function startVariants(target) {
  const require = createRequire(import.meta.url);
  const variants = {};
  for (const [major, name] of [
    [4, 'http-proxy-middleware'],
    [3, 'http-proxy-middleware3'],
  ]) {
    const { createProxyMiddleware } = require(name);
    const ours = hangupProxy({ target });
    const plain = { target, agent: ours.agent };
    const add = async (label, handlers, against = label) => {
      const server = express().use(handlers).listen(0, '127.0.0.1');
      // Longer than the turns of the others take: the client's connections wait meanwhile.
      server.keepAliveTimeout = 600_000;
      await once(server, 'listening');
      variants[label] = { server, url: `http://127.0.0.1:${server.address().port}/users/7`, against };
    };
    await add(`HPM ${major}`, [createProxyMiddleware(plain)]);
    await add(`HPM ${major}, hangupProxy()`, [createProxyMiddleware(ours)], `HPM ${major}`);
    await add(`HPM ${major}, hangup()`, [hangup(), createProxyMiddleware(plain)]);
    const both = [hangup(), createProxyMiddleware(hangupProxy(plain))];
    await add(`HPM ${major}, hangup() and hangupProxy()`, both, `HPM ${major}, hangup()`);
  }
  return variants;
}

async function measure(client, url, requests) {
  const before = process.cpuUsage();
  const start = performance.now();
  client.send({ url, requests });
  await once(client, 'message');
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / requests, wall: ((performance.now() - start) * 1000) / requests };
}

/** Of many short turns: what is measured while a neighbour has the machine is above it. */
function lowerQuartile(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 4)];
}
