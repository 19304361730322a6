// faultyTcp() before real databases: it drives conformance() as faultyUpstream() does. The apps do not use express-hangup.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import express from 'express';
import { conformance, faultyTcp } from 'express-hangup/testing';
import mysql from 'mysql2';
import pg from 'pg';
import { createClient } from 'redis';
import { servers } from './servers.mjs';

const DEADLINE = 500;

/** A route that asks a database, honest where that fails. `ask(signal)` must end when the signal aborts. */
function appFor(ask) {
  return express().get('/', async (_req, res) => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), DEADLINE);
    res.on('close', () => {
      clearTimeout(timer);
      controller.abort();
    });
    try {
      res.json(await ask(controller.signal));
    } catch {
      if (!res.destroyed) res.status(controller.signal.aborted ? 504 : 502).json({ error: 'database' });
    }
  });
}

const nothing = () => undefined;

/**
 * What ends with a signal: the connection ends. Each request has one of its own, because neither a query on a shared one nor a
 * connection that is being made by a pool can be given up.
 */
async function endingWith(signal, destroy, work) {
  signal.addEventListener('abort', destroy);
  try {
    if (signal.aborted) throw signal.reason;
    return await work();
  } finally {
    signal.removeEventListener('abort', destroy);
  }
}

const databases = {
  postgres: {
    url: (port) => `postgres://test@127.0.0.1:${port}/postgres`,
    open: (url) => async (signal) => {
      const client = new pg.Client({ connectionString: url });
      client.on('error', nothing);
      const stop = () => client.connection.stream.destroy();
      try {
        return await endingWith(signal, stop, async () => {
          await client.connect();
          return (await client.query('select 1 as one')).rows;
        });
      } finally {
        stop();
      }
    },
  },
  mariadb: {
    url: (port) => `mysql://root@127.0.0.1:${port}/mysql`,
    open: (url) => async (signal) => {
      const connection = mysql.createConnection({ uri: url });
      connection.on('error', nothing);
      const stop = () => connection.destroy();
      const failed = new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('given up')));
      });
      failed.catch(nothing);
      try {
        const query = connection.promise().query('select 1 as one');
        query.catch(nothing);
        const [rows] = await endingWith(signal, stop, () => Promise.race([query, failed]));
        return rows;
      } finally {
        stop();
      }
    },
  },
  redis: {
    url: (port) => `redis://127.0.0.1:${port}`,
    open: (url) => async (signal) => {
      const client = createClient({ url, socket: { reconnectStrategy: false } });
      client.on('error', nothing);
      try {
        return await endingWith(
          signal,
          () => client.destroy(),
          async () => {
            await client.connect();
            return [await client.get('one')];
          },
        );
      } finally {
        if (client.isOpen) client.destroy();
      }
    },
  },
};

for (const [name, { url, open }] of Object.entries(databases)) {
  const start = servers[name]();
  test(
    `faultyTcp() breaks ${name} in every way, and an honest app is right in each`,
    { skip: start ? false : `${name} is not installed` },
    async () => {
      const server = await start();
      const proxy = await faultyTcp({ target: url(server.port) });
      const ask = open(proxy.url);
      try {
        const result = await conformance(appFor(ask), {
          ...{ upstream: proxy, methods: ['GET'], deadline: DEADLINE },
          // What is no answer of the protocol a driver may take for the beginning of a long one.
          expect: { garbage: [502, 504] },
        });
        assert.ok(result.ok, result.table());
        assert.ok(result.unseen <= 6, result.table());
      } finally {
        await proxy.close();
        await server.stop();
      }
    },
  );

  test(
    `faultyTcp() shows a route without a deadline before ${name}`,
    { skip: start ? false : `${name} is not installed` },
    async () => {
      const server = await start();
      const proxy = await faultyTcp({ target: url(server.port) });
      const ask = open(proxy.url);
      const app = express().get('/', async (_req, res) => res.json(await ask(new AbortController().signal)));
      try {
        const options = {
          upstream: proxy,
          methods: ['GET'],
          deadline: DEADLINE,
          faults: ['ok', 'hang'],
          clients: ['stays'],
        };
        const { cells } = await conformance(app, options);
        assert.match(cells.find(({ fault }) => fault === 'hang').why, /no answer within|500 instead of 504/);
      } finally {
        await proxy.close();
        await server.stop();
      }
    },
  );
}
