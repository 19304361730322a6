// Requests, with nothing passed: what runs for them ends with them, by itself and under the ORMs that take a pool.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { sql as drizzleSql } from 'drizzle-orm';
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2';
import { drizzle } from 'drizzle-orm/node-postgres';
import { abortable } from 'express-hangup/pg';
import { abortable as abortableMysql } from 'express-hangup/mysql2';
import knex from 'knex';
import { Kysely, MysqlDialect, PostgresDialect, sql } from 'kysely';
import mysqlCallbacks from 'mysql2';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import { missingMariadb, startMariadb, watchProcesses } from './servers/mariadb.mjs';
import { missingPostgres, startPostgres, watchActivity } from './servers/postgres.mjs';
import { startApp } from './servers/request.mjs';

/** Lets a request run `work`, its client leave when the query with this mark runs, and waits until that has ended. */
async function leaveAmid(app, database, mark, work) {
  const request = app.request(work);
  await database.until(mark, 1);
  request.leave();
  const ended = await request.ended;
  await database.until(mark, 0);
  return ended;
}

/** The reason itself, or an error of an ORM's that wraps it. */
function assertIsReason({ status, reason, aborted }) {
  assert.equal(status, 'rejected');
  assert.equal(aborted.code, 'CLIENT_CLOSED_REQUEST');
  const causes = [reason, reason?.cause, reason?.driverError, reason?.parent];
  assert.ok(causes.includes(aborted), `${reason}`);
}

describe('in a request, without a signal passed, PostgreSQL', { skip: missingPostgres() }, () => {
  let server;
  let activity;
  let app;
  const ends = [];

  before(async () => {
    server = await startPostgres();
    activity = await watchActivity(server.config).open();
    await activity.query('CREATE TABLE notes (id int)');
    app = await startApp();
  });
  afterEach(async () => {
    await activity.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()",
    );
    await Promise.all(ends.splice(0).map((end) => end()));
  });
  after(async () => {
    await app?.close();
    await activity?.close();
    await server?.stop();
  });

  function poolOf(options = {}) {
    const pool = new pg.Pool({ ...server.config, max: 1, ...options });
    pool.on('error', () => {});
    ends.push(() => pool.ending || pool.end());
    return abortable(pool);
  }
  const countOf = async () => Number((await activity.query('SELECT count(*) n FROM notes')).rows[0].n);

  it('ends the query of a pool', async () => {
    const pool = poolOf();
    assertIsReason(
      await leaveAmid(app, activity, '/* alone */', () => pool.query('SELECT pg_sleep(60) /* alone */')),
    );
    assert.equal(pool.totalCount, 1);
  });

  it('runs the queries of callbacks for the request that made them, whoever opened the connection', async () => {
    const pool = poolOf();
    // The first request opens the connection, in whose context pg would call all later callbacks; and it leaves.
    await leaveAmid(app, activity, '/* opens */', () => pool.query('SELECT pg_sleep(60) /* opens */'));
    const request = app.request(
      () =>
        new Promise((resolve, reject) => {
          pool.query('SELECT 1', (error) => {
            if (error) return reject(error);
            pool.query('SELECT 2 n', (failure, result) =>
              failure ? reject(failure) : resolve(result.rows[0].n),
            );
          });
        }),
    );
    const { status, value, reason } = await request.ended;
    assert.deepEqual([status, value, reason], ['fulfilled', 2, undefined]);
    // The same outside of all requests.
    const outside = new Promise((resolve, reject) => {
      pool.connect((error, client, done) => {
        if (error) return reject(error);
        client.query('SELECT 1', () => {
          done();
          pool.query('SELECT 3 n', (failure, result) =>
            failure ? reject(failure) : resolve(result.rows[0].n),
          );
        });
      });
    });
    assert.equal(await outside, 3);
  });

  it('leaves the queries of other requests alone while one leaves after the other', async () => {
    const pool = poolOf({ max: 3 });
    const requests = Array.from({ length: 60 }, (_, n) => ({
      n,
      request: app.request(async () => {
        for (let i = 0; i < 3; i += 1) await pool.query('SELECT pg_sleep(0.002)');
        return (await pool.query({ text: 'SELECT $1::int n', values: [n] })).rows[0].n;
      }),
    }));
    for (const { n, request } of requests) {
      if (n % 2 === 0) {
        await pool.query('SELECT 1');
        request.leave();
      }
    }
    for (const { n, request } of requests) {
      const { status, value, aborted } = await request.ended;
      if (n % 2 === 1) assert.deepEqual([status, value], ['fulfilled', n]);
      else if (status === 'rejected') assert.equal(aborted.code, 'CLIENT_CLOSED_REQUEST');
    }
    assert.ok(pool.totalCount <= 3);
    assert.equal(pool.waitingCount, 0);
  });

  it('does nothing to queries that go on after the request has been answered', async () => {
    const pool = poolOf();
    let late;
    const request = app.request(async () => {
      late = pool.query('SELECT 5 n, pg_sleep(0.2)');
    });
    assert.equal((await request.ended).status, 'fulfilled');
    request.leave();
    assert.equal((await late).rows[0].n, 5);
  });

  it('ends the queries of Drizzle, and rolls its transaction back', async () => {
    const pool = poolOf();
    const db = drizzle(pool);
    assertIsReason(
      await leaveAmid(app, activity, '/* drizzle */', () =>
        db.execute(drizzleSql`SELECT pg_sleep(60) /* drizzle */`),
      ),
    );
    const ended = await leaveAmid(app, activity, '/* drizzle tx */', () =>
      db.transaction(async (tx) => {
        await tx.execute(drizzleSql`INSERT INTO notes VALUES (1)`);
        await tx.execute(drizzleSql`SELECT pg_sleep(60) /* drizzle tx */`);
      }),
    );
    assertIsReason(ended);
    assert.equal(await countOf(), 0);
    assert.equal(pool.totalCount, 1);
    assert.equal((await db.execute(drizzleSql`SELECT 7 n`)).rows[0].n, 7);
  });

  it('ends the queries of Kysely, and rolls its transaction back', async () => {
    const pool = poolOf();
    const db = new Kysely({ dialect: new PostgresDialect({ pool }) });
    assertIsReason(
      await leaveAmid(app, activity, '/* kysely */', () => sql`SELECT pg_sleep(60) /* kysely */`.execute(db)),
    );
    const ended = await leaveAmid(app, activity, '/* kysely tx */', () =>
      db.transaction().execute(async (tx) => {
        await sql`INSERT INTO notes VALUES (1)`.execute(tx);
        await sql`SELECT pg_sleep(60) /* kysely tx */`.execute(tx);
      }),
    );
    assertIsReason(ended);
    assert.equal(await countOf(), 0);
    assert.equal(pool.totalCount, 1);
    assert.equal((await sql`SELECT 7 n`.execute(db)).rows[0].n, 7);
  });

  it('ends the queries of Knex, and rolls its transaction back', async () => {
    const pool = poolOf();
    const db = knex({ client: 'pg', connectionPool: pool });
    ends.unshift(() => db.destroy());
    assertIsReason(
      await leaveAmid(app, activity, '/* knex */', () => db.raw('SELECT pg_sleep(60) /* knex */')),
    );
    const ended = await leaveAmid(app, activity, '/* knex tx */', () =>
      db.transaction(async (tx) => {
        await tx.raw('INSERT INTO notes VALUES (1)');
        await tx.raw('SELECT pg_sleep(60) /* knex tx */');
      }),
    );
    assertIsReason(ended);
    assert.equal(await countOf(), 0);
    assert.equal((await db.raw('SELECT 7 n')).rows[0].n, 7);
  });

  it('ends the queries of TypeORM, whose pool is made of a class that is given to it, and rolls its transaction back', async () => {
    class AbortablePool extends pg.Pool {
      constructor(options) {
        super(options);
        abortable(this);
      }
    }
    const { host, port, user: username, database } = server.config;
    const source = new DataSource({
      type: 'postgres',
      driver: { ...pg, Pool: AbortablePool },
      ...{ host, port, username, database, poolSize: 1 },
    });
    await source.initialize();
    ends.push(() => source.destroy());
    assertIsReason(
      await leaveAmid(app, activity, '/* typeorm */', () =>
        source.query('SELECT pg_sleep(60) /* typeorm */'),
      ),
    );
    const ended = await leaveAmid(app, activity, '/* typeorm tx */', () =>
      source.transaction(async (manager) => {
        await manager.query('INSERT INTO notes VALUES (1)');
        await manager.query('SELECT pg_sleep(60) /* typeorm tx */');
      }),
    );
    assertIsReason(ended);
    assert.equal(await countOf(), 0);
    assert.equal((await source.query('SELECT 7 n'))[0].n, 7);
  });

  it('is not told by Sequelize, which makes its connections itself and takes no pool', async () => {
    const { host, port, user, database } = server.config;
    const db = new Sequelize(database, user, '', { host, port, dialect: 'postgres', logging: false });
    ends.push(() => db.close());
    const request = app.request(() => db.query('SELECT pg_sleep(0.5) /* sequelize */'));
    await activity.until('/* sequelize */', 1);
    request.leave();
    // The client has left, and the query runs to its end.
    assert.equal((await activity.running('/* sequelize */')).length, 1);
    assert.equal((await request.ended).status, 'fulfilled');
  });
});

describe('in a request, without a signal passed, MariaDB', { skip: missingMariadb() }, () => {
  let server;
  let processes;
  let app;
  const ends = [];

  before(async () => {
    server = await startMariadb();
    processes = await watchProcesses(server.config);
    await processes.query('CREATE TABLE notes (id INT) ENGINE=InnoDB');
    app = await startApp();
  });
  afterEach(async () => {
    await processes.killAll();
    await Promise.all(ends.splice(0).map((end) => end()));
  });
  after(async () => {
    await app?.close();
    await processes?.close();
    await server?.stop();
  });

  const countOf = async () => (await processes.query('SELECT COUNT(*) n FROM notes'))[0][0].n;

  it('ends the query of a pool, prepared or not', async () => {
    const pool = abortableMysql(mysql.createPool({ ...server.config, connectionLimit: 1 }));
    ends.push(() => pool.end());
    assertIsReason(
      await leaveAmid(app, processes, '/* alone */', () => pool.query('SELECT SLEEP(60) /* alone */')),
    );
    assertIsReason(
      await leaveAmid(app, processes, '/* exec */', () => pool.execute('SELECT SLEEP(?) /* exec */', [60])),
    );
  });

  it('ends the queries of Drizzle, and rolls its transaction back there', async () => {
    const pool = abortableMysql(mysql.createPool({ ...server.config, connectionLimit: 1 }));
    ends.push(() => pool.end());
    const db = drizzleMysql(pool);
    const ended = await leaveAmid(app, processes, '/* drizzle tx */', () =>
      db.transaction(async (tx) => {
        await tx.execute(drizzleSql`INSERT INTO notes VALUES (1)`);
        await tx.execute(drizzleSql`SELECT SLEEP(60) /* drizzle tx */`);
      }),
    );
    assertIsReason(ended);
    assert.equal(await countOf(), 0);
    assert.equal((await db.execute(drizzleSql`SELECT 7 n`))[0][0].n, 7);
  });

  it('ends the queries of Kysely, and rolls its transaction back there', async () => {
    const pool = abortableMysql(mysqlCallbacks.createPool({ ...server.config, connectionLimit: 1 }));
    const db = new Kysely({ dialect: new MysqlDialect({ pool }) });
    ends.push(() => db.destroy());
    const ended = await leaveAmid(app, processes, '/* kysely tx */', () =>
      db.transaction().execute(async (tx) => {
        await sql`INSERT INTO notes VALUES (1)`.execute(tx);
        await sql`SELECT SLEEP(60) /* kysely tx */`.execute(tx);
      }),
    );
    assertIsReason(ended);
    assert.equal(await countOf(), 0);
    assert.equal((await sql`SELECT 7 n`.execute(db)).rows[0].n, 7);
  });

  it('ends the queries of Knex, and rolls its transaction back there', async () => {
    const pool = abortableMysql(mysqlCallbacks.createPool({ ...server.config, connectionLimit: 1 }));
    const db = knex({ client: 'mysql2', connectionPool: pool });
    ends.push(() => new Promise((resolve) => pool.end(resolve)));
    const ended = await leaveAmid(app, processes, '/* knex tx */', () =>
      db.transaction(async (tx) => {
        await tx.raw('INSERT INTO notes VALUES (1)');
        await tx.raw('SELECT SLEEP(60) /* knex tx */');
      }),
    );
    assertIsReason(ended);
    assert.equal(await countOf(), 0);
    assert.equal((await db.raw('SELECT 7 n'))[0][0].n, 7);
  });

  it('ends the queries of TypeORM, whose pool is made by a function that is given to it', async () => {
    const { host, port, user: username, database } = server.config;
    const source = new DataSource({
      type: 'mysql',
      driver: {
        ...mysqlCallbacks,
        createPool: (options) => abortableMysql(mysqlCallbacks.createPool(options)),
      },
      ...{ host, port, username, database, poolSize: 1 },
    });
    await source.initialize();
    ends.push(() => source.destroy());
    const ended = await leaveAmid(app, processes, '/* typeorm tx */', () =>
      source.transaction(async (manager) => {
        await manager.query('INSERT INTO notes VALUES (1)');
        await manager.query('SELECT SLEEP(60) /* typeorm tx */');
      }),
    );
    assertIsReason(ended);
    assert.equal(await countOf(), 0);
    assert.equal((await source.query('SELECT 7 n'))[0].n, 7);
  });
});
