// What classifyError() makes of SQL drivers and the ORMs on top of them: real servers that hang, stop, and are full.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sql as drizzleSql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { classifyError } from 'express-hangup';
import knex from 'knex';
import { Kysely, PostgresDialect, sql } from 'kysely';
import mariadb from 'mariadb';
import mysql from 'mysql2/promise';
import pg from 'pg';
import postgres from 'postgres';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import { missingMariadb, startMariadb } from '../databases/servers/mariadb.mjs';
import { missingPostgres, startPostgres } from '../databases/servers/postgres.mjs';
import { errorOf, openFaultyPorts } from './faulty-ports.mjs';

const codeOf = (error) => classifyError(error)?.code;
const SLOW =
  'SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c';

/** Each client once: `connect(config, limits)` gives `{ query(sql), close() }`. */
const postgresClients = {
  pg: ({ limit, statementTimeout, max, ...config }) => {
    const pool = new pg.Pool({
      ...config,
      max,
      connectionTimeoutMillis: limit,
      statement_timeout: statementTimeout,
    });
    pool.on('error', () => {});
    return { query: (text) => pool.query(text), close: () => pool.end() };
  },
  'postgres.js': ({ limit, statementTimeout, max, ...config }) => {
    const connection = statementTimeout ? { statement_timeout: statementTimeout } : {};
    const client = postgres({
      ...config,
      max,
      connect_timeout: limit / 1000,
      connection,
      onnotice: () => {},
    });
    return { query: (text) => client.unsafe(text), close: () => client.end({ timeout: 0 }) };
  },
  Knex: ({ limit, statementTimeout, max = 2, ...config }) => {
    const connection = { ...config, connectionTimeoutMillis: limit, statement_timeout: statementTimeout };
    const client = knex({
      client: 'pg',
      connection,
      pool: { min: 0, max },
      acquireConnectionTimeout: limit + 200,
      log: { warn() {} },
    });
    return { query: async (text) => client.raw(text), close: () => client.destroy() };
  },
  Sequelize: ({ limit, statementTimeout, max, ...config }) => {
    const dialectOptions = { connectionTimeoutMillis: limit, statement_timeout: statementTimeout };
    const { host, port, user, database } = config;
    const client = new Sequelize(database, user, '', {
      ...{ host, port, dialect: 'postgres', logging: false, dialectOptions },
      pool: { max, acquire: limit + 200 },
    });
    return { query: (text) => client.query(text), close: () => client.close() };
  },
  Drizzle: (config) => {
    const { close, pool } = poolFor(config);
    const client = drizzle(pool);
    return { query: async (text) => client.execute(drizzleSql.raw(text)), close };
  },
  Kysely: (config) => {
    const { pool } = poolFor(config);
    const client = new Kysely({ dialect: new PostgresDialect({ pool }) });
    return { query: (text) => sql.raw(text).execute(client), close: () => client.destroy() };
  },
  TypeORM: ({ limit, statementTimeout, max, ...config }) => {
    const { host, port, user: username, database } = config;
    const source = new DataSource({
      ...{ type: 'postgres', host, port, username, database, poolSize: max, connectTimeoutMS: limit },
      poolErrorHandler: () => {},
      extra: { statement_timeout: statementTimeout },
    });
    let opened;
    return {
      query: async (text) => (await (opened ??= source.initialize())).query(text),
      close: async () => source.isInitialized && source.destroy(),
    };
  },
};

function poolFor({ limit, statementTimeout, max, ...config }) {
  const pool = new pg.Pool({
    ...config,
    max,
    connectionTimeoutMillis: limit,
    statement_timeout: statementTimeout,
  });
  pool.on('error', () => {});
  return { pool, close: () => pool.end() };
}

describe('classifyError() and clients of PostgreSQL', { skip: missingPostgres() }, () => {
  let server;
  let ports;
  before(async () => {
    ports = await openFaultyPorts();
    server = await startPostgres();
  });
  after(async () => {
    ports?.close();
    await server?.stop();
  });

  for (const [name, open] of Object.entries(postgresClients)) {
    const failing = async (config, text = 'SELECT 1') => {
      const client = open({ ...server.config, limit: 1000, ...config });
      try {
        return codeOf(await errorOf(() => client.query(text)));
      } finally {
        await Promise.resolve(client.close()).catch(() => {});
      }
    };

    it(`${name}: a server that is silent, that resets, that is not there`, async () => {
      assert.equal(await failing({ port: ports.silent, limit: 300 }), 'UPSTREAM_TIMEOUT');
      assert.equal(await failing({ port: ports.resetting }), 'UPSTREAM_RESET');
      assert.equal(await failing({ port: ports.nobody }), 'UPSTREAM_REFUSED');
    });

    it(`${name}: a statement timeout is UPSTREAM_TIMEOUT, a cancel by hand OPERATION_ABORTED, a wrong statement the app's`, async () => {
      assert.equal(await failing({ statementTimeout: 100 }, 'SELECT pg_sleep(5)'), 'UPSTREAM_TIMEOUT');
      assert.equal(
        await failing({}, 'SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)'),
        'OPERATION_ABORTED',
      );
      assert.equal(await failing({}, 'SELEC 1'), undefined);
    });

    it(
      `${name}: a pool that is full is UPSTREAM_TIMEOUT`,
      { skip: name === 'postgres.js' && 'its queue has no limit' },
      async () => {
        const client = open({ ...server.config, limit: 300, max: 1 });
        await client.query('SELECT 1');
        const slow = client.query('SELECT pg_sleep(1)');
        assert.equal(codeOf(await errorOf(() => client.query('SELECT 1'))), 'UPSTREAM_TIMEOUT');
        await slow;
        await client.close();
      },
    );
  }

  it('a server that is stopped amid a query is UPSTREAM_RESET to all of them, and then UPSTREAM_REFUSED', async () => {
    const stopped = await startPostgres();
    const clients = Object.entries(postgresClients).map(([name, open]) => [
      name,
      open({ ...stopped.config, limit: 2000, max: 2 }),
    ]);
    const codes = {};
    try {
      for (const [, client] of clients) await client.query('SELECT 1');
      const failing = clients.map(([name, client]) =>
        errorOf(() => client.query('SELECT pg_sleep(60)')).then((error) => (codes[name] = codeOf(error))),
      );
      const watcher = new pg.Client(stopped.config);
      watcher.on('error', () => {});
      await watcher.connect();
      const running =
        "SELECT count(*)::int n FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'";
      while ((await watcher.query(running)).rows[0].n < clients.length);
      await stopped.end('SIGINT');
      await Promise.all(failing);
      assert.deepEqual(codes, Object.fromEntries(clients.map(([name]) => [name, 'UPSTREAM_RESET'])));
      for (const [name, client] of clients) {
        // postgres.js tries for ever; the others say what they see.
        if (name === 'postgres.js') continue;
        assert.equal(codeOf(await errorOf(() => client.query('SELECT 1'))), 'UPSTREAM_REFUSED', name);
      }
    } finally {
      for (const [, client] of clients) await Promise.resolve(client.close()).catch(() => {});
      await stopped.stop();
    }
  });
});

describe('classifyError() and clients of MariaDB', { skip: missingMariadb() }, () => {
  let server;
  let ports;
  before(async () => {
    ports = await openFaultyPorts();
    server = await startMariadb({ 'max-connections': 20 });
  });
  after(async () => {
    ports?.close();
    await server?.stop();
  });

  const sequelize = (dialect) => (config) => {
    const { host, port, user, database, limit } = config;
    const client = new Sequelize(database, user, '', {
      ...{ host, port, dialect, logging: false, dialectOptions: { connectTimeout: limit } },
      pool: { max: 1, acquire: limit + 500 },
    });
    return { query: (text) => client.query(text), close: () => client.close() };
  };
  const clients = {
    mysql2: ({ limit, ...config }) => {
      const pool = mysql.createPool({ ...config, connectTimeout: limit });
      return { query: (text) => pool.query(text), close: () => pool.end() };
    },
    mariadb: ({ limit, ...config }) => {
      const pool = mariadb.createPool({
        ...config,
        connectTimeout: limit,
        acquireTimeout: limit + 200,
        connectionLimit: 1,
      });
      return { query: (text) => pool.query(text), close: () => pool.end() };
    },
    'Sequelize on mysql2': sequelize('mysql'),
    'Sequelize on mariadb': sequelize('mariadb'),
  };

  for (const [name, open] of Object.entries(clients)) {
    const failing = async (config, text = 'SELECT 1') => {
      const client = open({ ...server.config, limit: 1000, ...config });
      try {
        return codeOf(await errorOf(() => client.query(text)));
      } finally {
        await Promise.resolve(client.close()).catch(() => {});
      }
    };

    it(`${name}: a server that is silent, that closes, that is not there`, async () => {
      assert.equal(await failing({ port: ports.silent, limit: 300 }), 'UPSTREAM_TIMEOUT');
      assert.equal(await failing({ port: ports.closing }), 'UPSTREAM_RESET');
      assert.equal(await failing({ port: ports.nobody }), 'UPSTREAM_REFUSED');
    });

    it(`${name}: max_statement_time is UPSTREAM_TIMEOUT, KILL QUERY OPERATION_ABORTED, a wrong statement the app's`, async () => {
      assert.equal(
        await failing({}, `SET STATEMENT max_statement_time = 0.1 FOR ${SLOW}`),
        'UPSTREAM_TIMEOUT',
      );
      assert.equal(await failing({}, 'KILL QUERY CONNECTION_ID()'), 'OPERATION_ABORTED');
      assert.equal(await failing({}, 'SELEC 1'), undefined);
    });
  }

  it('mariadb: its own limits of a pool, a query, a socket', async () => {
    const pool = mariadb.createPool({ ...server.config, connectionLimit: 1, acquireTimeout: 200 });
    const slow = pool.query('SELECT SLEEP(0.5)');
    assert.equal(codeOf(await errorOf(() => pool.query('SELECT 1'))), 'UPSTREAM_TIMEOUT');
    await slow;
    await pool.end();
    const hurried = await mariadb.createConnection({ ...server.config, queryTimeout: 100 });
    assert.equal(codeOf(await errorOf(() => hurried.query(SLOW))), 'UPSTREAM_TIMEOUT');
    await hurried.end();
    const deaf = await mariadb.createConnection({ ...server.config, socketTimeout: 100 });
    deaf.on('error', () => {});
    assert.equal(codeOf(await errorOf(() => deaf.query('SELECT SLEEP(2)'))), 'UPSTREAM_TIMEOUT');
  });

  it('a server that is killed amid a query is UPSTREAM_RESET to all of them there', async () => {
    const killed = await startMariadb();
    const all = Object.entries(clients).map(([name, open]) => [
      name,
      open({ ...killed.config, limit: 2000 }),
    ]);
    const codes = {};
    try {
      // Sequelize 6 cannot read the answer of mariadb 3.5; it has its connection all the same.
      for (const [, client] of all) await client.query('SELECT 1').catch(() => {});
      const failing = all.map(([name, client]) =>
        errorOf(() => client.query('SELECT SLEEP(60)')).then((error) => (codes[name] = codeOf(error))),
      );
      const watcher = await mysql.createConnection(killed.config);
      watcher.on('error', () => {});
      const running = "SELECT COUNT(*) n FROM information_schema.processlist WHERE info = 'SELECT SLEEP(60)'";
      while ((await watcher.query(running))[0][0].n < all.length);
      await killed.end('SIGKILL');
      await Promise.all(failing);
      assert.deepEqual(codes, Object.fromEntries(all.map(([name]) => [name, 'UPSTREAM_RESET'])));
    } finally {
      for (const [, client] of all) await Promise.resolve(client.close()).catch(() => {});
      await killed.stop();
    }
  });

  it('mysql2: a server that has no place left is UPSTREAM_REFUSED', async () => {
    const open = [];
    const error = await errorOf(async () => {
      for (let i = 0; i < 30; i += 1) open.push(await mysql.createConnection(server.config));
    });
    for (const connection of open) connection.destroy();
    assert.equal(codeOf(error), 'UPSTREAM_REFUSED');
  });
});
