// One Express app of bench/core.mjs and bench/instructions.mjs, in a process of its own: `node core-server.mjs <subject> [<the package's entry file>]`.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { answer } from './lib/commands.mjs';

const require = createRequire(import.meta.url);
const [subject = 'bare', entry = 'express-hangup'] = process.argv.slice(2);
// Longer than any measuring takes: no request here reaches its deadline.
const DEADLINE_MS = 120_000;

const express = require('express');
const app = express();

/** What is mounted in front of the route. */
const mounts = {
  bare() {},
  'an empty middleware'() {
    app.use((req, res, next) => next());
  },
  'an empty middleware, an AbortController made'() {
    app.use((req, res, next) => next());
  },
  'an empty middleware, an AbortController kept'() {
    app.use((req, res, next) => next());
  },
  'connect-timeout'() {
    app.use(require('connect-timeout')(DEADLINE_MS));
  },
  'express-timeout-handler'() {
    app.use(require('express-timeout-handler').handler({ timeout: DEADLINE_MS }));
  },
  'the snippet'() {
    app.use((req, res, next) => {
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), DEADLINE_MS);
      req.on('close', () => controller.abort());
      res.on('close', () => clearTimeout(timer));
      res.locals.signal = controller.signal;
      next();
    });
  },
  'express-hangup, signal unread': mountHangup,
  'express-hangup, signal read': mountHangup,
  // The same app as bare: how far apart two equal things are measured.
  'bare, again'() {},
};

/** What the route does besides answering. */
const touches = {
  'an empty middleware, an AbortController made': () => new AbortController().signal,
  'an empty middleware, an AbortController kept': (req, res) =>
    (res.locals.signal = new AbortController().signal),
  'the snippet': (req, res) => res.locals.signal,
  'express-hangup, signal read': (req) => req.signal,
};

function mountHangup() {
  app.use(require(entry).hangup({ deadline: DEADLINE_MS }));
}

const held = [];

mounts[subject]();
const touch = touches[subject];
if (touch === undefined) app.get('/', (req, res) => res.json({ hello: 'world' }));
else {
  app.get('/', (req, res) => {
    if (touch(req, res) === undefined) throw new Error('there is no signal');
    res.json({ hello: 'world' });
  });
}
// A request that waits until it is released.
app.get('/hold', (req, res) => {
  touch?.(req, res);
  held.push(res);
});

const server = createServer({ keepAliveTimeout: 600_000, requestTimeout: 0 }, app);
server.listen(0, '127.0.0.1', () => {
  answer({ port: server.address().port }, { held: () => held.length, release });
});

function release() {
  for (const res of held.splice(0)) res.json({ hello: 'world' });
}
