// One Express app of the overhead benchmark: node overhead-server.mjs <variant>.
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { answer } from './lib/commands.mjs';

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

const server = app.listen(0, '127.0.0.1', () => answer({ port: server.address().port }, { serve }));

const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
const CONNECTIONS = 32;

/** A socket without a connection: what the server writes to it is an answer that has been read. */
class MemorySocket extends Socket {
  constructor(onAnswer) {
    super();
    this.onAnswer = onAnswer;
  }

  _read() {}

  _write(chunk, _encoding, callback) {
    callback();
    if (String(chunk).startsWith('HTTP/1.1 200 ')) setImmediate(this.onAnswer, this);
    else this.destroy(new Error(`answered ${String(chunk)}`));
  }

  _writev(chunks, callback) {
    this._write(Buffer.concat(chunks.map(({ chunk }) => Buffer.from(chunk))), undefined, callback);
  }
}

/** Serves so many requests that come from within this process. */
function serve(requests) {
  return new Promise((resolve, reject) => {
    let left = requests;
    let open = CONNECTIONS;
    const next = (socket) => {
      if (left-- > 0) socket.push(REQUEST);
      else if (socket.destroy() && --open === 0) resolve();
    };
    for (let i = 0; i < CONNECTIONS; i++) {
      const socket = new MemorySocket(next);
      socket.on('error', reject);
      server.emit('connection', socket);
      next(socket);
    }
  });
}
