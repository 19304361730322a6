// The app of the soak, in a process of its own so that its memory is its own. It is told by messages of its parent what to do.
import http from 'node:http';
import { createRequire } from 'node:module';
import { pipeline } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { hangupProxy } from 'express-hangup/proxy';
import { watchLeaks } from 'express-hangup/testing';
import { upstream } from 'express-hangup/upstream';

const require = createRequire(import.meta.url);
const [origin, deadline] = [process.argv[2], Number(process.argv[3])];

const express = require('express');
const { createProxyMiddleware } = require('http-proxy-middleware3');
const api = upstream(origin, { retries: 1 });
const agent = new http.Agent({ keepAlive: true });
const warnings = [];
process.on('warning', ({ name, message }) => {
  // http-proxy, which is below http-proxy-middleware 3, uses util._extend.
  if (name !== 'DeprecationWarning') warnings.push(`${name}: ${message}`);
});

const app = express().set('env', 'test');
app.use(hangup({ deadline, stall: deadline }));

const body = (req) => (req.method === 'GET' ? undefined : JSON.stringify(req.body));

app.all('/proxy/:fault', createProxyMiddleware(hangupProxy({ target: origin, agent })));
app.all('/http/:fault', (req, res, next) => {
  const options = { method: req.method, agent, signal: req.signal };
  const call = http.request(`${origin}/${req.params.fault}`, options, (answer) => {
    res.writeHead(answer.statusCode, { 'content-type': 'application/json' });
    pipeline(answer, res, (error) => error && next(error));
  });
  call.on('error', next);
  pipeline(req, call, () => undefined);
});
app.use(express.json());
app.all('/fetch/:fault', async (req, res) => {
  const init = { method: req.method, body: body(req), signal: req.signal };
  res.json(await (await fetch(`${origin}/${req.params.fault}`, init)).json());
});
app.all('/upstream/:fault', async (req, res) => {
  res.json(
    await (await api.fetch(req, `/${req.params.fault}`, { method: req.method, body: body(req) })).json(),
  );
});
app.all('/late/:fault', (_req, res) => void setTimeout(() => res.json({ late: true }), deadline * 1.5));
app.all('/never/:fault', () => undefined);
app.use(gatewayErrorHandler());

const server = http.createServer(app);
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));

let watch;

const snapshot = () => {
  for (let i = 0; i < 3; i++) globalThis.gc();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapUsed, rss, warnings };
};

const openConnections = () => new Promise((done) => server.getConnections((_error, count) => done(count)));

const commands = {
  // From here on everything that is opened, set and attached must go again.
  watch: () => {
    watch = watchLeaks({ server, emitters: { server, process } });
    return snapshot();
  },
  report: async () => {
    const leaks = await watch.expectNone({ within: 10_000 }).then(
      () => [],
      (error) => [error.message],
    );
    let connections = await openConnections();
    for (let i = 0; i < 100 && connections > 0; i++) {
      await pause(100);
      connections = await openConnections();
    }
    return { ...snapshot(), leaks, connections };
  },
  end: () => process.exit(),
};

process.on('message', async (name) => process.send(await commands[name]()));
