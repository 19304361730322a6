// One Express app that calls an upstream, in a process of its own: `BENCH_UPSTREAM=<URL> node calling-server.mjs <subject>`.
// A proxy without BENCH_UPSTREAM has its upstream and its clients within the process, without connections.
import http from 'node:http';
import { createRequire } from 'node:module';
import { answer } from './lib/commands.mjs';
import { MemorySocket, serveInMemory } from './lib/memory-socket.mjs';

const require = createRequire(import.meta.url);
const express = require('express');
const [subject] = process.argv.slice(2);
const upstream = process.env.BENCH_UPSTREAM;
// Longer than any measuring takes.
const DEADLINE_MS = 600_000;

const app = express();
const hangup = (options) => require('express-hangup').hangup({ deadline: DEADLINE_MS, ...options });

const subjects = {
  'HPM 4 after hangup()': () => proxy('http-proxy-middleware', plain),
  'HPM 4 with hangupProxy()': () => proxy('http-proxy-middleware', (ours) => ours),
  'HPM 4 with hangupProxy(), diagnose() on': () => {
    require('express-hangup/diagnose').diagnose({ where: false });
    proxy('http-proxy-middleware', (ours) => ours);
  },
  'HPM 4 with hangupProxy(), empty listeners': () => {
    emptyListeners();
    proxy('http-proxy-middleware', (ours) => ours);
  },
  'HPM 4 with hangupProxy(), diagnose() on, with where': () => {
    require('express-hangup/diagnose').diagnose({ where: true });
    proxy('http-proxy-middleware', (ours) => ours);
  },
  'HPM 3 after hangup()': () => proxy('http-proxy-middleware3', plain),
  'HPM 3 with hangupProxy()': () => proxy('http-proxy-middleware3', (ours) => ours),
  'global fetch': () => calling(globalFetch),
  'global fetch, empty listeners': () => {
    emptyListeners();
    calling(globalFetch);
  },
  'global fetch, diagnose() on': () => calling(globalFetch, { where: false }),
  'global fetch, diagnose() on, with where': () => calling(globalFetch, { where: true }),
  'node:http': () => calling(nodeHttp()),
  'no call, context': () => inContext({ context: true }, () => '{}'),
  'no call, propagate': () => inContext({ propagate: true }, () => '{}'),
  'global fetch, context': () => inContext({ context: true }, globalFetch),
  'global fetch, propagate': () => inContext({ propagate: true }, globalFetch),
  'node:http, context': () => inContext({ context: true }, nodeHttp()),
  'node:http, propagate': () => inContext({ propagate: true }, nodeHttp()),
  'node:http, empty listeners': () => {
    emptyListeners();
    calling(nodeHttp());
  },
  'node:http, diagnose() on': () => calling(nodeHttp(), { where: false }),
  'node:http, diagnose() on, with where': () => calling(nodeHttp(), { where: true }),
};

/** The same agent for both. */
const plain = ({ target, agent }) => ({ target, agent });

function proxy(name, options) {
  const { hangupProxy } = require('express-hangup/proxy');
  const { createProxyMiddleware } = require(name);
  const ours = hangupProxy({ target: upstream ?? 'http://upstream.example' });
  if (upstream === undefined) ours.agent.createConnection = () => new MemorySocket(answerInMemory);
  app.use(hangup(), createProxyMiddleware(options(ours)));
}

const ANSWER = Buffer.from(
  'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 21\r\n\r\n{"id":7,"name":"Ada"}',
);

function answerInMemory(socket) {
  setImmediate(() => socket.push(ANSWER));
}

function calling(call, diagnosis) {
  if (diagnosis) require('express-hangup/diagnose').diagnose(diagnosis);
  app.use(hangup()).get('/', async (req, res) => {
    res.type('json').send(await call(req.signal));
  });
}

/** No signal is passed. */
function inContext(options, call) {
  app.use(hangup(options)).get('/', async (req, res) => {
    res.type('json').send(await call());
  });
}

/** Subscribes to all that diagnose() subscribes to, and does nothing with what comes: what Node and undici do for a subscriber. */
function emptyListeners() {
  const { Channel } = require('node:diagnostics_channel');
  const { subscribe } = Channel.prototype;
  Channel.prototype.subscribe = function subscribeNothing() {
    subscribe.call(this, () => undefined);
  };
  require('express-hangup/diagnose').diagnose({ where: false });
  Channel.prototype.subscribe = subscribe;
}

async function globalFetch(signal) {
  return (await fetch(upstream, { signal })).text();
}

function nodeHttp() {
  const agent = new http.Agent({ keepAlive: true });
  return (signal) =>
    new Promise((resolve, reject) => {
      http
        .get(upstream, { agent, signal }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
          response.on('end', () => resolve(text)).on('error', reject);
        })
        .on('error', reject);
    });
}

subjects[subject]();
const server = http.createServer({ keepAliveTimeout: DEADLINE_MS, requestTimeout: 0 }, app);
const serve = (load) => serveInMemory(server, load);
server.listen(0, '127.0.0.1', () => answer({ port: server.address().port }, { serve }));
