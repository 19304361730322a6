// watchLeaks() beside drivers that keep connections and timers which hold the process.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import express from 'express';
import { clientThatHangsUp, watchLeaks } from 'express-hangup/testing';
import { Redis } from 'ioredis';
import pg from 'pg';
import { servers } from './servers.mjs';

async function ask(app, times) {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  for (let i = 0; i < times; i += 1) {
    const { response } = await clientThatHangsUp(`http://127.0.0.1:${server.address().port}`);
    assert.equal(response.status, 200);
  }
  return server;
}

const startPostgres = servers.postgres();
const startRedis = servers.redis();

test(
  'watchLeaks() does not count what the pool of pg keeps, and counts clients that are never ended',
  { skip: startPostgres ? false : 'PostgreSQL is not installed' },
  async () => {
    const { port, stop } = await startPostgres();
    const url = `postgres://test@127.0.0.1:${port}/postgres`;
    const pool = new pg.Pool({ connectionString: url });
    pool.on('error', () => undefined);
    const watch = watchLeaks();
    const right = await ask(
      express().get('/', async (_req, res) => res.json((await pool.query('select 1')).rows)),
      5,
    );
    await watch.expectNone();
    right.close();
    await pool.end();

    const clients = [];
    const again = watchLeaks();
    const app = express().get('/', async (_req, res) => {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => undefined);
      clients.push(client);
      await client.connect();
      res.json((await client.query('select 1')).rows);
    });
    const wrong = await ask(app, 5);
    await assert.rejects(again.expectNone({ within: 200 }), /a connection to 127\.0\.0\.1:\d+ is still open/);
    wrong.close();
    await Promise.all(clients.map((client) => client.end()));
    await stop();
  },
);

test(
  'watchLeaks() does not count the connection of ioredis',
  { skip: startRedis ? false : 'Redis is not installed' },
  async () => {
    const { port, stop } = await startRedis();
    const watch = watchLeaks();
    const redis = new Redis({ port, host: '127.0.0.1', lazyConnect: true });
    redis.on('error', () => undefined);
    const server = await ask(
      express().get('/', async (_req, res) => res.json({ one: await redis.get('one') })),
      5,
    );
    await watch.expectNone();
    server.close();
    redis.disconnect();
    await stop();
  },
);
