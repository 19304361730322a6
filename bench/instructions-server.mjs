// One Express app of bench/instructions.mjs, in a process of its own: node instructions-server.mjs <subject> <upstream's URL>.
// Says its port on stdout.
import http from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const express = require('express');
const [subject, upstream] = process.argv.slice(2);
// Longer than any measuring takes.
const DEADLINE_MS = 600_000;

const app = express();

const hello = (req, res) => res.json({ hello: 'world' });
const hangup = () => require('express-hangup').hangup({ deadline: DEADLINE_MS });
const empty = (req, res, next) => next();

const subjects = {
  bare: () => app.get('/', hello),
  'an empty middleware': () => app.use(empty).get('/', hello),
  'an empty middleware, an AbortController kept': () =>
    app.use(empty).get('/', (req, res) => {
      res.locals.signal = new AbortController().signal;
      hello(req, res);
    }),
  'hangup(), signal unread': () => app.use(hangup()).get('/', hello),
  'hangup(), signal read': () =>
    app.use(hangup()).get('/', (req, res) => {
      if (req.signal.aborted) throw new Error('the signal has aborted');
      hello(req, res);
    }),
  'HPM 4 after hangup()': () => proxy('http-proxy-middleware', plain),
  'HPM 4 with hangupProxy()': () => proxy('http-proxy-middleware', (ours) => ours),
  'HPM 4 with hangupProxy(), diagnose() on': () => {
    require('express-hangup/diagnose').diagnose();
    proxy('http-proxy-middleware', (ours) => ours);
  },
  'HPM 3 after hangup()': () => proxy('http-proxy-middleware3', plain),
  'HPM 3 with hangupProxy()': () => proxy('http-proxy-middleware3', (ours) => ours),
  'global fetch': () => calling(globalFetch),
  'global fetch, diagnose() on': () => calling(globalFetch, true),
  'node:http': () => calling(nodeHttp()),
  'node:http, diagnose() on': () => calling(nodeHttp(), true),
};

/** The same agent for both. */
const plain = ({ target, agent }) => ({ target, agent });

function proxy(name, options) {
  const { hangupProxy } = require('express-hangup/proxy');
  const { createProxyMiddleware } = require(name);
  app.use(hangup(), createProxyMiddleware(options(hangupProxy({ target: upstream }))));
}

function calling(call, isDiagnosed = false) {
  if (isDiagnosed) require('express-hangup/diagnose').diagnose();
  app.use(hangup()).get('/', async (req, res) => {
    res.type('json').send(await call(req.signal));
  });
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
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
