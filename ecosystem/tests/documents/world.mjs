// What the documents' examples take for granted: the names of the reader's own app, and the services that it calls.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import * as core from 'express-hangup';
import { diagnose } from 'express-hangup/diagnose';
import * as pgPackage from 'express-hangup/pg';
import * as proxyPackage from 'express-hangup/proxy';
import * as testing from 'express-hangup/testing';
import { upstream } from 'express-hangup/upstream';
import OpenAI from 'openai';

const require = createRequire(import.meta.url);
const ofTheProject = createRequire(new URL('../../../package.json', import.meta.url));

/** A service that answers JSON to everything, and a stream of tokens where a language model is asked. */
export async function startService(t) {
  const server = createServer((req, res) => {
    req.resume();
    if (!req.url.endsWith('/chat/completions')) {
      res.setHeader('Content-Type', 'application/json');
      return res.end('{"well":true,"name":"Ada"}');
    }
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const token = { choices: [{ index: 0, delta: { content: 'well' } }] };
    res.end(`data: ${JSON.stringify(token)}\n\ndata: [DONE]\n\n`);
  });
  return listening(t, server);
}

/** A TCP server that says nothing: the database behind faultyTcp(), which fails in its place. */
export async function startDatabase(t) {
  return (
    await listening(
      t,
      net.createServer((socket) => socket.on('error', () => undefined)),
    )
  ).replace('http', 'tcp');
}

async function listening(t, server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** The names that an example may have from the reader's app: the values are made when an example asks for them. */
export const GIVEN = {
  app: ({ newApp }) => newApp(),
  server: ({ t }) => {
    const server = createServer();
    t.after(() => server.close());
    return server;
  },
  express: ({ express }) => express,
  req: ({ req }) => req,
  res: ({ res }) => res,
  url: ({ service }) => service,
  target: ({ service }) => service,
  offers: ({ service }) => service,
  PRICES: ({ service }) => service,
  id: () => 7,
  users: ({ service, t }) => {
    const users = upstream(service);
    t.after(() => users.close());
    return users;
  },
  upstream: () => upstream,
  eventStreams: () => new Set(),
  webSockets: () => ({ clients: new Set() }),
  report: () => (_req, res) => res.json({}),
  events: () => (_req, res) => res.json({}),
  exportAll: () => (_req, res) => res.json({}),
  save: () => async () => ({ id: 8 }),
  audit: () => async () => undefined,
  pending: () => new Map(),
  sessionOf: () => async () => ({ isOperator: true }),
  text: () => '',
  chat: () => ({ model: 'none', messages: [] }),
  question: () => ({ model: 'none', messages: [] }),
  openai: ({ service }) => new OpenAI({ apiKey: 'none', baseURL: service, maxRetries: 0 }),
  stream: ({ service }) => streamOf(new OpenAI({ apiKey: 'none', baseURL: service, maxRetries: 0 })),
  createApp:
    ({ newApp }) =>
    (upstreamOf) =>
      createApp(newApp(), upstreamOf),
  test: () => (_title, body) => body(),
  expect: () => ofTheProject('expect').expect,
  request: () => ofTheProject('supertest'),
  axios: () => require('axios'),
  got: () => require('got').default,
  pg: () => require('pg'),
  DataSource: () => require('typeorm').DataSource,
  createProxyMiddleware: () => require('http-proxy-middleware').createProxyMiddleware,
  diagnose: ({ t }) => stopped(t),
  faultyTcp:
    ({ t }) =>
    async (options) => {
      const proxy = await testing.faultyTcp(options);
      t.after(() => proxy.close());
      return proxy;
    },
  ...fromPackage(pgPackage, ['abortable']),
  ...fromPackage(proxyPackage, ['hangupProxy']),
  ...fromPackage(testing, ['failOnLateResponse', 'watchLeaks']),
};

function fromPackage(exported, names) {
  return Object.fromEntries(names.map((name) => [name, () => exported[name]]));
}

/** `diagnose()`, stopped with the test. */
export function stopped(t) {
  return (options) => {
    const diagnosis = diagnose(options);
    t.after(() => diagnosis.stop());
    return diagnosis;
  };
}

/** A stream, and a function of a signal that opens one: the documents name both so. */
function streamOf(openai) {
  const open = (signal) =>
    openai.chat.completions.create({ model: 'none', messages: [], stream: true }, { signal });
  return Object.assign(open, {
    async *[Symbol.asyncIterator]() {
      yield* await open();
    },
  });
}

/** The app of docs/testing.md: a route that calls its upstream, and one that asks its database. */
function createApp(app, upstreamOf) {
  app.use(core.hangup({ deadline: 300 }));
  app.get('/api/data', async (req, res) => {
    res.json(await (await fetch(`${upstreamOf}/data`, { signal: req.signal })).json());
  });
  app.get('/orders', async (req, res) => {
    const { hostname, port } = new URL(upstreamOf.databaseUrl);
    const socket = net.connect({ host: hostname, port: Number(port), signal: req.signal });
    socket.write('orders');
    for await (const chunk of socket) res.write(chunk);
    res.end();
  });
  app.use(core.gatewayErrorHandler());
  return app;
}
