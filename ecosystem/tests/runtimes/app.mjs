// The app that runs on each runtime: <runtime> app.mjs <express | express4>. Tells its port and what happens by lines of JSON.
import { createRequire } from 'node:module';
import http from 'node:http';
import { createServer } from 'node:net';
import { deadline, drainable, gatewayErrorHandler, hangup, currentSignal, tuneServer } from 'express-hangup';

const require = createRequire(import.meta.url);
const express = require(process.argv[2]);
const session = require('express-session');
const tell = (line) => console.log(JSON.stringify(line));
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A session store that takes its time for each answer. */
class SlowStore extends session.Store {
  sessions = new Map();
  get(id, callback) {
    setTimeout(callback, 20, null, this.sessions.get(id));
  }
  set(id, data, callback) {
    this.sessions.set(id, data);
    setTimeout(callback, 150, null);
  }
  destroy(id, callback) {
    this.sessions.delete(id);
    callback(null);
  }
}

const warnings = [];
process.on('warning', ({ code }) => warnings.push(code));
process.on('uncaughtException', (error) => tell({ uncaught: String(error) }));
process.on('unhandledRejection', (error) => tell({ uncaught: String(error) }));

const app = express();
app.set('env', 'test');
app.use(hangup({ deadline: 200, grace: 20, context: true, inherit: true }));
app.get('/', (_req, res) => res.send('whole'));
app.post('/body', express.json(), async (req, res) => {
  await later(30);
  res.json({ body: req.body, aborted: req.signal.aborted });
});
app.get('/kept', (req, res) => {
  const { signal } = req;
  res.send('whole');
  setTimeout(() => tell({ kept: signal.aborted }), 100);
});
app.get('/silent', (req) => {
  req.signal.addEventListener('abort', () => tell({ silent: req.signal.reason.code }));
});
app.get('/departs', deadline(20_000), (req) => {
  req.signal.addEventListener('abort', () => tell({ departs: req.signal.reason.code }));
  tell({ held: 'departs' });
});
app.get('/departs-begun', deadline(20_000), (req, res) => {
  req.signal.addEventListener('abort', () => tell({ 'departs-begun': req.signal.reason.code }));
  res.write('begun');
  tell({ held: 'departs-begun' });
});
app.post('/departs-body', deadline(20_000), (req) => {
  req.signal.addEventListener('abort', () => tell({ 'departs-body': req.signal.reason.code }));
  tell({ held: 'departs-body' });
});
app.get('/late', async (_req, res) => {
  await later(350);
  try {
    res.set('x-late', 'yes').status(200).json({ late: true });
    tell({ late: 'harmless' });
  } catch (error) {
    tell({ late: String(error) });
  }
});
app.get('/late-stream', async (_req, res) => {
  await later(350);
  try {
    res.write('late');
    res.end('late');
    tell({ 'late-stream': 'harmless' });
  } catch (error) {
    tell({ 'late-stream': String(error) });
  }
});
app.get('/held-head', (_req, res) => {
  res.writeHead(200, { 'content-type': 'text/plain' });
});
app.get('/fragment', async (req, res) => {
  await new Promise((resolve) => req.signal.addEventListener('abort', resolve));
  res.send('a fragment');
});
app.get('/cut', deadline(200, { until: 'finish' }), (req, res) => {
  req.signal.addEventListener('abort', () => res.end('pretends to be whole'));
  res.write('begun');
});
app.get('/stalls', hangup({ stall: 200 }), (_req, res) => void res.write('begun'));
app.get('/begun', async (req, res) => {
  res.write('begun in time, ');
  await later(400);
  res.end(`aborted: ${req.signal.aborted}`);
});
app.get('/flushed', async (req, res) => {
  res.flushHeaders();
  await later(400);
  res.end(`aborted: ${req.signal.aborted}`);
});
app.get('/logged', deadline(20_000), (_req, res) => {
  res.on('close', () => tell({ logged: res.statusCode }));
  tell({ held: 'logged' });
});
app.get('/events', deadline(false), async (req, res) => {
  res.set('content-type', 'text/event-stream');
  for (let event = 1; event <= 4; event++) {
    res.write(`data: ${event}\n\n`);
    await later(100);
  }
  res.end(`data: ${req.signal.aborted} ${req.deadline.remaining()}\n\n`);
});
app.get('/context', async (req, res) => {
  await later(5);
  res.json({ same: currentSignal() === req.signal });
});
app.get('/budget', (req, res) => res.json({ timeout: req.deadline.timeout }));
app.get(
  '/session',
  session({ secret: 'x', resave: true, saveUninitialized: true, store: new SlowStore() }),
  (req, res) => {
    req.session.seen = true;
    setTimeout(() => res.json({ session: true }), Number(req.query.ms));
  },
);
const propagate = hangup({ propagate: true });
app.get('/propagate/fetch', propagate, () => fetch(`http://127.0.0.1:${ports.silent}/`));
app.get('/propagate/http', propagate, (_req, _res, next) =>
  http.get(`http://127.0.0.1:${ports.silent}/`).on('error', next),
);
app.get('/upstream/:port', deadline(5_000), async (req, res) => {
  const upstream = await fetch(`http://127.0.0.1:${req.params.port}/`, { signal: req.signal });
  res.send(await upstream.text());
});
app.get('/short-keep-alive', (_req, res) => {
  // Node adds a second of its own, on Node 24 and later.
  server.keepAliveTimeout = 100;
  res.on('close', () => (server.keepAliveTimeout = 65_000));
  res.send('whole');
});
app.get('/slow', deadline(10_000), async (_req, res) => {
  tell({ held: 'slow' });
  await later(400);
  res.send('whole');
});
// Express 4 knows no promises: what fails there goes to next().
if (process.argv[2] !== 'express') {
  for (const { route } of app._router.stack.filter((layer) => layer.route)) {
    for (const layer of route.stack) {
      const { handle } = layer;
      layer.handle = (req, res, next) => Promise.resolve(handle(req, res, next)).catch(next);
    }
  }
}
app.use(gatewayErrorHandler({ onFault: (fault) => tell({ fault: fault.code }) }));

const resetting = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
const refused = createServer();
// Answers only where nobody has ended the call long before.
const silent = http.createServer((_req, res) => {
  const timer = setTimeout(() => res.end(), 1_000);
  res.on('close', () => {
    clearTimeout(timer);
    tell({ call: res.writableEnded ? 'has gone on' : 'has ended', warnings });
  });
});
const listening = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
await listening(resetting);
await listening(refused);
await listening(silent);
const ports = {
  silent: silent.address().port,
  resetting: resetting.address().port,
  refusing: refused.address().port,
};
await new Promise((resolve) => refused.close(resolve));
resetting.unref();
silent.unref();
const server = app.listen(0, '127.0.0.1', () => tell({ port: server.address().port, ...ports }));
const attempt = (call) => {
  try {
    return call();
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
};
tell({ tuned: attempt(() => tuneServer(server, { loadBalancer: 'alb' }).set) });
tell({
  drainable: attempt(
    () =>
      typeof drainable(server, {
        timeout: 3000,
        force: 4000,
        onDrained: (report) => tell({ drained: report }),
      }).drain,
  ),
});
