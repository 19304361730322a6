// Prints what a request leaves in the old generation when its handler calls somebody. Started by short-lived-calls.test.mjs:
// node --initial-heap-size=1024 left-by.mjs <use>
import { once } from 'node:events';
import http from 'node:http';
import express from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { abortable } from 'express-hangup/pg';
import { hangupProxy } from 'express-hangup/proxy';
import { upstream } from 'express-hangup/upstream';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { createProxyMiddleware as createProxyMiddleware3 } from 'http-proxy-middleware3';
import pg from 'pg';
import { payload, printBytesLeft } from '../../../__tests__/fixtures/old-generation.cjs';
import { inMemory } from '../databases/servers/postgres-in-memory.mjs';

const origin = http.createServer((_req, res) => res.end('{}'));
origin.listen(0, '127.0.0.1');
await once(origin, 'listening');
const target = `http://127.0.0.1:${origin.address().port}`;

/** What an app does with a request, by handlers that are made when they are wanted. */
const uses = {
  'no call': () => (_req, res) => res.json({}),
  'a proxied request, http-proxy-middleware 4': () => createProxyMiddleware(hangupProxy({ target })),
  'a proxied request, http-proxy-middleware 3': () => createProxyMiddleware3(hangupProxy({ target })),
  'a call of upstream().request()': () => {
    const client = upstream(target);
    return async (req, res) => res.end(await (await client.request(req, '/')).body.text());
  },
  'a query of an abortable() pool of pg': () => {
    const pool = abortable(new pg.Pool({ ...inMemory, max: 4 }));
    return async ({ signal, payload }, res) => {
      // A query that is kept, without its request, is recognized as well.
      const query = { text: 'SELECT $1::int', values: [1], signal, payload };
      res.json((await pool.query(query)).rows);
    };
  },
};

function appFor(use) {
  const app = express();
  app.use((req, _res, next) => {
    req.payload = payload();
    next();
  });
  app.use(hangup(), uses[use](), gatewayErrorHandler());
  return app;
}

await printBytesLeft(appFor(process.argv[2]), (status) => status === 200);
