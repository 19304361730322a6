// One Express app of the overhead benchmark: node overhead-server.mjs <variant>.
import { createRequire } from 'node:module';
import { answer } from './lib/commands.mjs';
import { serveInMemory } from './lib/memory-socket.mjs';

const require = createRequire(import.meta.url);
const express = require('express');
const { gatewayErrorHandler, hangup } = require('express-hangup');

const DEADLINE_MS = 10_000;

const VARIANTS = {
  bare: () => undefined,
  'an empty middleware': () => (_req, _res, next) => next(),
  'an empty middleware, an AbortController made': () => (req, _res, next) => {
    req.made = new AbortController().signal;
    next();
  },
  'hangup(), signal unread': () => hangup({ deadline: DEADLINE_MS }),
  'hangup(), signal read': () => hangup({ deadline: DEADLINE_MS }),
  'hangup({ context: true })': () => hangup({ deadline: DEADLINE_MS, context: true }),
  'express-timeout-handler': () =>
    require('express-timeout-handler').handler({
      timeout: DEADLINE_MS,
      onTimeout: (_req, res) => res.status(503).end(),
    }),
  'connect-timeout': () => require('connect-timeout')(DEADLINE_MS),
};

const variant = process.argv[2];
const app = express();
app.disable('x-powered-by');
const middleware = VARIANTS[variant]();
if (middleware) app.use(middleware);
const isRead = variant === 'hangup(), signal read';
app.get('/', (req, res) => {
  if (isRead && req.signal.aborted) return;
  res.json({ ok: true });
});
if (variant.startsWith('hangup')) app.use(gatewayErrorHandler());

const CONNECTIONS = 32;
const serve = (requests) => serveInMemory(server, { requests, connections: CONNECTIONS });
const server = app.listen(0, '127.0.0.1', () => answer({ port: server.address().port }, { serve }));
