// Prints for how many bytes a request keeps memory alive until the next full garbage collection, when its handler calls
// somebody: what it leaves in the old generation. Started by short-lived-calls.test.mjs: node --initial-heap-size=1024 left-by.mjs <use>
import { once } from 'node:events';
import http from 'node:http';
import { getHeapSpaceStatistics } from 'node:v8';
import express from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { abortable } from 'express-hangup/pg';
import { hangupProxy } from 'express-hangup/proxy';
import { upstream } from 'express-hangup/upstream';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { createProxyMiddleware as createProxyMiddleware3 } from 'http-proxy-middleware3';
import pg from 'pg';
import { inMemory } from '../databases/servers/postgres-in-memory.mjs';

const REQUESTS = 4000;
const CONNECTIONS = 8;

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
    // A request that is kept is recognized by it.
    req.payload = new Array(500).fill(0);
    next();
  });
  app.use(hangup(), uses[use](), gatewayErrorHandler());
  return app;
}

function oldGeneration() {
  const spaces = getHeapSpaceStatistics().filter(({ space_name: name }) => !name.startsWith('new_'));
  return spaces.reduce((sum, { space_used_size: used }) => sum + used, 0);
}

const server = http.createServer(appFor(process.argv[2])).listen(0, '127.0.0.1');
await once(server, 'listening');
const client = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const ask = () =>
  new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port: server.address().port, agent: client }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`answered ${answer.statusCode}`));
        answer.resume().on('end', resolve);
      })
      .on('error', reject);
  });
async function serve(requests) {
  for (let left = requests; left > 0; left -= CONNECTIONS) {
    await Promise.all(Array.from({ length: CONNECTIONS }, ask));
  }
}

await serve(REQUESTS);
const before = oldGeneration();
await serve(REQUESTS);
console.log(Math.round((oldGeneration() - before) / REQUESTS));
process.exit();
