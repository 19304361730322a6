// express-hangup/mysql2 against a real MariaDB: what runs there is seen in its processlist.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { abortable } from 'express-hangup/mysql2';
import mysqlCallbacks from 'mysql2';
import mysql from 'mysql2/promise';
import { missingMariadb, startMariadb, watchProcesses } from './servers/mariadb.mjs';
import { startTcpProxy } from './servers/tcp-proxy.mjs';

const skip = missingMariadb();
const isReason = (reason) => (error) => error === reason;

describe('abortable() pools of mysql2', { skip }, () => {
  let server;
  let processes;
  const ends = [];

  before(async () => {
    server = await startMariadb();
    processes = await watchProcesses(server.config);
    await processes.query('CREATE TABLE notes (id INT, note TEXT) ENGINE=InnoDB');
  });
  afterEach(async () => {
    await processes.killAll();
    await Promise.all(ends.splice(0).map((end) => end()));
  });
  after(async () => {
    await processes?.close();
    await server?.stop();
  });

  function poolOf(options = {}, own = {}) {
    const pool = mysql.createPool({ ...server.config, connectionLimit: 1, ...options });
    ends.push(() => pool.end().catch(() => {}));
    return abortable(pool, own);
  }

  const idOf = async (queryable) => (await queryable.query('SELECT CONNECTION_ID() id'))[0][0].id;

  it('end a query in the database within 50 ms at the median, and keep its connection', async () => {
    const pool = poolOf();
    const id = await idOf(pool);
    const times = [];
    for (let i = 0; i < 21; i += 1) {
      const leaver = new AbortController();
      const reason = new Error(`gone ${i}`);
      const { stack } = reason;
      const ended = assert.rejects(
        pool.query({ sql: 'SELECT SLEEP(60) /* median */', signal: leaver.signal }),
        isReason(reason),
      );
      await processes.until('/* median */', 1);
      const start = performance.now();
      leaver.abort(reason);
      await ended;
      assert.equal(reason.stack, stack);
      await processes.until('/* median */', 0);
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    assert.ok(times[10] < 50, `median ${times[10]} ms of ${times.map(Math.round)}`);
    assert.equal(await idOf(pool), id);
  });

  it('hit none of 1,000 innocents when 1,000 leave, lose no connection, and serve on', async () => {
    const pool = poolOf({ connectionLimit: 5 });
    const leavers = [];
    let turn = 0;
    const leaveNext = () => {
      for (let i = 0; i < 2; i += 1) (leavers[(turn * 7919) % 1000]?.(), (turn += 1));
    };
    const tallies = { innocent: 0, left: 0, early: 0 };
    await Promise.all(
      Array.from({ length: 2000 }, (_, i) => {
        if (i % 2 === 0) {
          return pool.query({ sql: 'SELECT ? n, SLEEP(0.001) s', values: [i] }).then(([rows]) => {
            assert.deepEqual({ ...rows[0] }, { n: i, s: 0 });
            tallies.innocent += 1;
            leaveNext();
          });
        }
        const controller = new AbortController();
        const reason = new Error(`left ${i}`);
        leavers.push(() => controller.abort(reason));
        return pool
          .query({ sql: 'SELECT SLEEP(?)', values: [(i % 5) / 1000], signal: controller.signal })
          .then(
            () => (tallies.early += 1),
            (error) => {
              assert.equal(error, reason);
              tallies.left += 1;
            },
          );
      }),
    );
    assert.equal(tallies.innocent, 1000);
    assert.equal(tallies.left + tallies.early, 1000);
    assert.ok(tallies.left > 100, JSON.stringify(tallies));
    const five = await Promise.all(Array.from({ length: 5 }, () => pool.getConnection()));
    assert.equal(new Set(await Promise.all(five.map(idOf))).size, 5);
    five.forEach((connection) => connection.release());
  });

  it('obey in the callback API as well, and give streams the reason', async () => {
    const pool = abortable(mysqlCallbacks.createPool({ ...server.config, connectionLimit: 1 }));
    ends.push(() => new Promise((resolve) => pool.end(resolve)));
    const leaver = new AbortController();
    const reason = new Error('gone');
    const told = new Promise((resolve) => {
      pool.query({ sql: 'SELECT SLEEP(60) /* callback */', signal: leaver.signal }, (...args) =>
        resolve(args),
      );
    });
    await processes.until('/* callback */', 1);
    leaver.abort(reason);
    assert.equal((await told)[0], reason);

    const reader = new AbortController();
    const stream = pool
      .query({
        sql: "SELECT REPEAT('x', 100000), SLEEP(0.01) /* stream */ FROM seq_1_to_10000",
        signal: reader.signal,
      })
      .stream();
    const failed = new Promise((resolve) => stream.once('error', resolve));
    await new Promise((resolve) => stream.once('data', resolve));
    reader.abort(reason);
    assert.equal(await failed, reason);
    await processes.until('/* stream */', 0);
    const rows = await new Promise((resolve, reject) => {
      pool.getConnection((error, connection) => {
        if (error) return reject(error);
        connection.query('SELECT ? n', [3], (failure, result) => {
          connection.release();
          if (failure) reject(failure);
          else resolve(result);
        });
      });
    });
    assert.equal(rows[0].n, 3);
  });

  it('give up the place in the queue, of a query and of a connection', async () => {
    const pool = poolOf();
    const held = await pool.getConnection();
    const leaver = new AbortController();
    const reason = new Error('gone');
    const query = pool.query({ sql: 'SELECT 1', signal: leaver.signal });
    const connection = pool.getConnection({ signal: leaver.signal });
    assert.equal(pool.pool._connectionQueue.length, 2);
    const ended = [assert.rejects(query, isReason(reason)), assert.rejects(connection, isReason(reason))];
    leaver.abort(reason);
    await Promise.all(ended);
    assert.equal(pool.pool._connectionQueue.length, 0);
    held.release();
    assert.equal((await pool.query('SELECT 7 n'))[0][0].n, 7);
  });

  it('refuse a query whose signal has aborted before', async () => {
    const pool = poolOf();
    const reason = new Error('gone');
    const signal = AbortSignal.abort(reason);
    await assert.rejects(pool.query({ sql: 'SELECT 1', signal }), isReason(reason));
    await assert.rejects(pool.execute({ sql: 'SELECT 1', signal }), isReason(reason));
    await assert.rejects(pool.getConnection({ signal }), isReason(reason));
    const connection = await pool.getConnection();
    await assert.rejects(connection.query({ sql: 'SELECT 1', signal }), isReason(reason));
    await assert.rejects(connection.execute({ sql: 'SELECT 1', signal }), isReason(reason));
    connection.release();
    assert.equal((await pool.query('SELECT 7 n'))[0][0].n, 7);
  });

  it('cancel what runs in a transaction and hand the connection to the catch for its ROLLBACK', async () => {
    const pool = poolOf();
    const leaver = new AbortController();
    const reason = new Error('gone');
    const connection = await pool.getConnection({ signal: leaver.signal });
    const id = await idOf(connection);
    let seen;
    try {
      await connection.beginTransaction();
      await connection.query("INSERT INTO notes VALUES (1, 'lost')");
      const slow = connection.query('SELECT SLEEP(60) /* transaction */');
      processes.until('/* transaction */', 1).then(() => leaver.abort(reason));
      await slow;
      await connection.commit();
    } catch (error) {
      seen = error;
      await connection.rollback();
      await connection.query('SET @state = 1');
    } finally {
      connection.release();
    }
    assert.equal(seen, reason);
    assert.equal(await idOf(pool), id);
    assert.equal((await pool.query('SELECT COUNT(*) n FROM notes'))[0][0].n, 0);
  });

  it('refuse a COMMIT after an abort, and close a connection whose transaction is left open', async () => {
    const pool = poolOf();
    const leaver = new AbortController();
    const reason = new Error('gone');
    const connection = await pool.getConnection({ signal: leaver.signal });
    const id = await idOf(connection);
    await connection.beginTransaction();
    await connection.query("INSERT INTO notes VALUES (2, 'lost')");
    leaver.abort(reason);
    await assert.rejects(connection.commit(), isReason(reason));
    connection.release();
    assert.notEqual(await idOf(pool), id);
    assert.equal((await pool.query('SELECT COUNT(*) n FROM notes'))[0][0].n, 0);
  });

  it('keep prepared statements usable after a cancel', async () => {
    const pool = poolOf();
    const sql = 'SELECT ? n, SLEEP(?) /* prepared */';
    assert.equal((await pool.execute({ sql, values: [1, 0] }))[0][0].n, 1);
    const leaver = new AbortController();
    const reason = new Error('gone');
    const ended = assert.rejects(
      pool.execute({ sql, values: [2, 60], signal: leaver.signal }),
      isReason(reason),
    );
    await processes.until('/* prepared */', 1);
    leaver.abort(reason);
    await ended;
    await processes.until('/* prepared */', 0);
    assert.equal((await pool.execute({ sql, values: [3, 0] }))[0][0].n, 3);
  });

  it('cancel over a Unix socket', async () => {
    const pool = poolOf({ host: undefined, port: undefined, socketPath: server.socketPath });
    const leaver = new AbortController();
    const reason = new Error('gone');
    const ended = assert.rejects(
      pool.query({ sql: 'SELECT SLEEP(60) /* unix */', signal: leaver.signal }),
      isReason(reason),
    );
    await processes.until('/* unix */', 1);
    leaver.abort(reason);
    await ended;
    await processes.until('/* unix */', 0);
  });

  it('close a connection whose cancel hangs, when its time is up; the query hears at once', async () => {
    let count = 0;
    const proxy = await startTcpProxy(server.config, () => (count += 1) <= 1);
    const pool = poolOf({ port: proxy.port }, { cancelTimeout: 200 });
    const leaver = new AbortController();
    const reason = new Error('gone');
    const ended = assert.rejects(
      pool.query({ sql: 'SELECT SLEEP(60) /* hung */', signal: leaver.signal }),
      isReason(reason),
    );
    await processes.until('/* hung */', 1);
    const start = performance.now();
    leaver.abort(reason);
    await ended;
    assert.ok(performance.now() - start < 100);
    proxy.letPass();
    assert.equal((await pool.query('SELECT 7 n'))[0][0].n, 7);
    await proxy.close();
  });

  it('kill nothing on another server that answers at the same address', async () => {
    const other = await startMariadb({ 'server-id': 7 });
    const others = await watchProcesses(other.config);
    const victims = [];
    try {
      let isOther = false;
      const proxy = await startTcpProxy(() => (isOther ? other.config : server.config));
      const pool = poolOf({ port: proxy.port }, { cancelTimeout: 500 });
      const id = await idOf(pool);
      // Innocents on the other server, one of which has the number of the query that is to be cancelled.
      let last = 0;
      while (last < id) {
        const victim = await mysql.createConnection(other.config);
        last = victim.threadId;
        victims.push([victim, victim.query('SELECT SLEEP(60) /* innocent */').catch(() => {})]);
        if (last < id - 1 && victims.length > 1) victims.shift()[0].destroy();
      }
      const leaver = new AbortController();
      const reason = new Error('gone');
      const ended = assert.rejects(
        pool.query({ sql: 'SELECT SLEEP(60) /* twin */', signal: leaver.signal }),
        isReason(reason),
      );
      await processes.until('/* twin */', 1);
      isOther = true;
      leaver.abort(reason);
      await ended;
      isOther = false;
      assert.equal((await pool.query('SELECT 7 n'))[0][0].n, 7);
      assert.ok((await others.running('/* innocent */')).some((row) => row.id === last));
      await proxy.close();
    } finally {
      for (const [victim] of victims) victim.destroy();
      await others.close();
      await other.stop();
    }
  });

  it('work again after the server has died amid a cancel', async () => {
    const dying = await startMariadb();
    try {
      let count = 0;
      const proxy = await startTcpProxy(dying.config, () => {
        if ((count += 1) === 2) void dying.end('SIGKILL');
        return count !== 2;
      });
      const pool = poolOf({ port: proxy.port }, { cancelTimeout: 1000 });
      const leaver = new AbortController();
      const reason = new Error('gone');
      const connection = await pool.getConnection({ signal: leaver.signal });
      const ended = assert.rejects(connection.query('SELECT SLEEP(60) /* dying */'), isReason(reason));
      await (await watchProcesses(dying.config)).until('/* dying */', 1);
      leaver.abort(reason);
      await ended;
      connection.release();
      await dying.start();
      assert.equal((await pool.query('SELECT 7 n'))[0][0].n, 7);
      await proxy.close();
    } finally {
      await dying.stop();
    }
  });

  it('leave errors of the database and of mysql2 as they are', async () => {
    const pool = poolOf();
    const { signal } = new AbortController();
    await assert.rejects(pool.query({ sql: 'SELECT nonsense', signal }), { code: 'ER_BAD_FIELD_ERROR' });
    await assert.rejects(pool.execute({ sql: 'SELECT nonsense', signal }), { code: 'ER_BAD_FIELD_ERROR' });
    await assert.rejects(pool.execute({ sql: 'SELECT ?', values: [undefined], signal }), /undefined/);
    assert.equal((await pool.query({ sql: 'SELECT 7 n', signal }))[0][0].n, 7);
  });

  it('say what they are not made of', async () => {
    assert.throws(() => abortable('mysql://…'), /is a string, but must be a pool of mysql2/);
    assert.throws(() => abortable({ totalCount: 0 }), /import abortable from 'express-hangup\/pg'/);
    const connection = await mysql.createConnection(server.config);
    assert.throws(() => abortable(connection), /has no getConnection\(\)/);
    await connection.end();
    assert.throws(() => abortable({ getConnection() {}, query() {}, on() {} }), /mysql and mariadb/);
    const pool = poolOf();
    assert.equal(abortable(pool), pool);
  });
});
