// Plays the matrix for one subject, in a process of its own, and prints the result as one line of JSON:
// `node subject.mjs '{"guard":"express-hangup","route":"fetch, parsed","express":"express","deadline":400,"margin":800}'`.
import { createRequire } from 'node:module';
import { conformance, faultyUpstream } from 'express-hangup/testing';
import { guards } from './guards.mjs';
import { routes } from './routes.mjs';

const require = createRequire(import.meta.url);
const subject = JSON.parse(process.argv[2]);
const { deadline, margin } = subject;

const upstream = await faultyUpstream();
const guard = guards[subject.guard](deadline);
const route = routes[subject.route];
const handler = await route.make(upstream.url, guard.signalOf, guard.proxyOptions);

/** Express 4 does not look at what an async handler returns: everybody wraps it so, and Express 5 does not mind. */
const wrapped = (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);

function expressApp() {
  const express = require(subject.express);
  const app = express().set('env', 'production');
  guard.before(app);
  if (route.parsed) app.use(express.json());
  app.all('/data', wrapped);
  guard.after(app);
  return app;
}

/** Express does not run on Node's HTTP/2 API; this is the same chain without it. */
function http2App() {
  const { middleware, onError } = guard.bare;
  return (req, res) => {
    const next = (error) => (error ? onError(error, req, res, () => res.destroy()) : undefined);
    res.json = (value) => {
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify(value));
    };
    middleware(req, res, (error) =>
      error ? next(error) : readBody(req).then(() => wrapped(req, res, next), next),
    );
  };
}

async function readBody(req) {
  if (!route.parsed) return;
  let text = '';
  for await (const bytes of req) text += bytes;
  if (text !== '') req.body = JSON.parse(text);
}

const result = await conformance(subject.express === 'http2' ? http2App() : expressApp(), {
  route: '/data',
  ...(subject.methods && { methods: subject.methods }),
  protocol: subject.express === 'http2' ? 'http2' : 'http1',
  upstream,
  deadline,
  margin,
});
await upstream.close();
process.stdout.write(`${JSON.stringify({ ...subject, node: process.version, cells: result.cells })}\n`);
process.exit();
