// express-hangup/pg against a real PostgreSQL: what runs there is seen in pg_stat_activity.
import assert from 'node:assert/strict';
import { EventEmitter, getEventListeners } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';
import { abortable } from 'express-hangup/pg';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import { missingPostgres, startPostgres, watchActivity } from './servers/postgres.mjs';

const skip = missingPostgres();

describe('abortable() pools of pg', { skip }, () => {
  let server;
  let activity;
  const pools = [];

  before(async () => {
    server = await startPostgres();
    activity = await watchActivity(server.config).open();
    await activity.query(`
      CREATE TABLE notes (id int, note text);
      CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$;
      CREATE TABLE slow_commits (id int);
      CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow_commits DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION slow();
    `);
  });
  afterEach(async () => {
    // A query that a failed test has left running must not disturb the other tests.
    await activity.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()",
    );
    await Promise.all(pools.splice(0).map((pool) => pool.ending || pool.end()));
  });
  after(async () => {
    await activity?.close();
    await server?.stop();
  });

  function poolOf(options = {}, own = {}) {
    const pool = abortable(new pg.Pool({ ...server.config, max: 1, ...options }), own);
    pool.on('error', () => {});
    pools.push(pool);
    return pool;
  }

  const pidOf = async (queryable) => (await queryable.query('SELECT pg_backend_pid() pid')).rows[0].pid;
  const isReason = (reason) => (error) => error === reason;

  it('end a query in the database within 50 ms at the median, and keep its connection', async () => {
    const pool = poolOf();
    const pid = await pidOf(pool);
    const times = [];
    for (let i = 0; i < 21; i += 1) {
      const leaver = new AbortController();
      const reason = new Error(`gone ${i}`);
      const query = pool.query({ text: 'SELECT pg_sleep(60) /* median */', signal: leaver.signal });
      const ended = assert.rejects(query, isReason(reason));
      await activity.until('/* median */', 1);
      const start = performance.now();
      leaver.abort(reason);
      await ended;
      await activity.until('/* median */', 0);
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    assert.ok(times[10] < 50, `median ${times[10]} ms of ${times.map(Math.round)}`);
    assert.equal(await pidOf(pool), pid);
  });

  it('hit none of 1,000 innocents when 1,000 leave, lose no connection, and serve on', async () => {
    const pool = poolOf({ max: 5 });
    const leavers = [];
    let turn = 0;
    // With each end of a query the next of those who are to leave leaves: it runs, waits in the queue, or is just over.
    const leaveNext = () => {
      for (let i = 0; i < 2; i += 1) (leavers[(turn * 7919) % 1000]?.leave(), (turn += 1));
    };
    const tallies = { innocent: 0, left: 0, early: 0 };
    const queries = Array.from({ length: 2000 }, (_, i) => {
      if (i % 2 === 0) {
        return pool.query({ text: 'SELECT $1::int n, pg_sleep(0.001)', values: [i] }).then(({ rows }) => {
          assert.equal(rows[0].n, i);
          tallies.innocent += 1;
          leaveNext();
        });
      }
      const controller = new AbortController();
      const reason = new Error(`left ${i}`);
      leavers.push({ leave: () => controller.abort(reason) });
      return pool
        .query({ text: 'SELECT pg_sleep($1)', values: [(i % 5) / 1000], signal: controller.signal })
        .then(
          () => (tallies.early += 1),
          (error) => {
            assert.equal(error, reason);
            tallies.left += 1;
          },
        );
    });
    await Promise.all(queries);
    assert.equal(tallies.innocent, 1000);
    assert.equal(tallies.left + tallies.early, 1000);
    assert.ok(tallies.left > 100, JSON.stringify(tallies));
    const five = await Promise.all(Array.from({ length: 5 }, () => pool.connect()));
    five.forEach((client) => client.release());
    assert.deepEqual([pool.totalCount, pool.idleCount, pool.waitingCount], [5, 5, 0]);
  });

  it('give up the place in the queue, of a query and of a connection', async () => {
    const pool = poolOf();
    const held = await pool.connect();
    const leaver = new AbortController();
    const reason = new Error('gone');
    const query = pool.query({ text: 'SELECT 1', signal: leaver.signal });
    const connection = pool.connect({ signal: leaver.signal });
    assert.equal(pool.waitingCount, 2);
    const ended = [assert.rejects(query, isReason(reason)), assert.rejects(connection, isReason(reason))];
    leaver.abort(reason);
    await Promise.all(ended);
    assert.equal(pool.waitingCount, 0);
    held.release();
    assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
  });

  it('give up the place in the queue of a pool with a connection timeout, which passes without effect', async () => {
    const pool = poolOf();
    const held = await pool.connect();
    // Only now, because connecting may take longer.
    pool.options.connectionTimeoutMillis = 50;
    const leaver = new AbortController();
    const reason = new Error('gone');
    const query = assert.rejects(pool.query({ text: 'SELECT 1', signal: leaver.signal }), isReason(reason));
    leaver.abort(reason);
    await query;
    // The next one's timeout is as long: by then the first one's has passed.
    await assert.rejects(pool.query('SELECT 1'), /timeout exceeded/);
    held.release();
    assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
  });

  it('refuse a query whose signal has aborted before, without a connection', async () => {
    const pool = poolOf();
    const reason = new Error('gone');
    await assert.rejects(
      pool.query({ text: 'SELECT 1', signal: AbortSignal.abort(reason) }),
      isReason(reason),
    );
    await assert.rejects(pool.connect({ signal: AbortSignal.abort(reason) }), isReason(reason));
    assert.equal(pool.totalCount, 0);
  });

  it('reject with an AbortError where the reason is null, which a callback would take for success', async () => {
    const pool = poolOf();
    const signal = AbortSignal.abort(null);
    await assert.rejects(pool.query({ text: 'SELECT 1', signal }), { name: 'AbortError' });
  });

  it('speak the callback API', async () => {
    const pool = poolOf();
    const leaver = new AbortController();
    const reason = new Error('gone');
    const told = new Promise((resolve) => {
      pool.query({ text: 'SELECT pg_sleep(60) /* callback */', signal: leaver.signal }, (...args) =>
        resolve(args),
      );
    });
    await activity.until('/* callback */', 1);
    leaver.abort(reason);
    assert.equal((await told)[0], reason);
    const rows = await new Promise((resolve, reject) => {
      pool.connect((error, client, done) => {
        if (error) return reject(error);
        client.query('SELECT $1::int n', [3], (failure, result) => {
          done();
          if (failure) reject(failure);
          else resolve(result.rows);
        });
      });
    });
    assert.deepEqual(rows, [{ n: 3 }]);
  });

  it('leave errors of the database as they are', async () => {
    const pool = poolOf();
    const { signal } = new AbortController();
    await assert.rejects(pool.query({ text: 'SELECT nonsense', signal }), { code: '42703' });
    await assert.rejects(pool.query({ text: 'SELECT $1', values: 'no array', signal }), /array/);
    assert.equal((await pool.query({ text: 'SELECT 7 n', signal })).rows[0].n, 7);
  });

  describe('in a transaction', () => {
    it('cancel what runs and hand the connection to the catch for its ROLLBACK', async () => {
      const pool = poolOf();
      const leaver = new AbortController();
      const reason = new Error('gone');
      const client = await pool.connect({ signal: leaver.signal });
      const pid = await pidOf(client);
      let seen;
      try {
        await client.query('BEGIN');
        await client.query("INSERT INTO notes VALUES (1, 'lost')");
        const slow = client.query('SELECT pg_sleep(60) /* transaction */');
        activity.until('/* transaction */', 1).then(() => leaver.abort(reason));
        await slow;
        await client.query('COMMIT');
      } catch (error) {
        seen = error;
        await client.query('ROLLBACK');
        // A statement of the caller's cleaning up.
        await client.query("SELECT set_config('my.state', 'clean', false)");
      } finally {
        client.release();
      }
      assert.equal(seen, reason);
      assert.equal(await pidOf(pool), pid);
      assert.equal((await pool.query('SELECT count(*)::int n FROM notes')).rows[0].n, 0);
    });

    it('refuse the next statement after an abort between two, once; a COMMIT too, a ROLLBACK never', async () => {
      const pool = poolOf();
      const leaver = new AbortController();
      const reason = new Error('gone');
      const client = await pool.connect({ signal: leaver.signal });
      await client.query('BEGIN');
      await client.query("INSERT INTO notes VALUES (2, 'lost')");
      leaver.abort(reason);
      await client
        .query('/* cleaning */ ROLLBACK TO SAVEPOINT nowhere')
        .catch(({ code }) => assert.equal(code, '3B001'));
      await assert.rejects(client.query('COMMIT'), isReason(reason));
      await client.query('ROLLBACK');
      client.release();
      assert.equal((await pool.query('SELECT count(*)::int n FROM notes')).rows[0].n, 0);
    });

    it('refuse all statements that were given before the caller could know', async () => {
      const pool = poolOf();
      const leaver = new AbortController();
      const reason = new Error('gone');
      const client = await pool.connect({ signal: leaver.signal });
      const texts = ['SELECT pg_sleep(60) /* several */', "INSERT INTO notes VALUES (3, 'x')", 'SELECT 3'];
      const all = Promise.allSettled(texts.map((text) => client.query(text)));
      await activity.until('/* several */', 1);
      leaver.abort(reason);
      assert.deepEqual(
        (await all).map((result) => result.reason),
        [reason, reason, reason],
      );
      assert.equal((await client.query('SELECT count(*)::int n FROM notes')).rows[0].n, 0);
      client.release();
    });

    it('let a COMMIT that runs come to its end, and say what came of it', async () => {
      const pool = poolOf();
      const leaver = new AbortController();
      const client = await pool.connect({ signal: leaver.signal });
      await client.query('BEGIN');
      await client.query('INSERT INTO slow_commits VALUES (1)');
      const commit = client.query('COMMIT');
      await activity.until('COMMIT', 1);
      leaver.abort(new Error('gone'));
      assert.equal((await commit).command, 'COMMIT');
      client.release();
      assert.equal((await pool.query('SELECT count(*)::int n FROM slow_commits')).rows[0].n, 1);
    });

    it('close a connection that comes back with the transaction of an aborted request still open', async () => {
      const pool = poolOf();
      const leaver = new AbortController();
      const client = await pool.connect({ signal: leaver.signal });
      const pid = await pidOf(client);
      await client.query('BEGIN');
      leaver.abort(new Error('gone'));
      await assert.rejects(client.query('SELECT 1'));
      client.release();
      assert.notEqual(await pidOf(pool), pid);
    });

    it('wait with the release until the cancel is over, when the caller does not', async () => {
      const pool = poolOf();
      const leaver = new AbortController();
      const client = await pool.connect({ signal: leaver.signal });
      const query = client.query('SELECT pg_sleep(60) /* impatient */');
      query.catch(() => {});
      await activity.until('/* impatient */', 1);
      leaver.abort(new Error('gone'));
      client.release();
      assert.throws(() => client.release(), /already been released/);
      const rows = await Promise.all(
        Array.from({ length: 20 }, (_, n) => pool.query('SELECT $1::int n', [n])),
      );
      assert.deepEqual(
        rows.map((result) => result.rows[0].n),
        Array.from({ length: 20 }, (_, n) => n),
      );
    });
  });

  it('keep prepared statements usable after a cancel', async () => {
    const pool = poolOf();
    const statement = { name: 'sleeper', text: 'SELECT $1::int n, pg_sleep($2) /* prepared */' };
    assert.equal((await pool.query({ ...statement, values: [1, 0] })).rows[0].n, 1);
    const leaver = new AbortController();
    const reason = new Error('gone');
    const query = pool.query({ ...statement, values: [2, 60], signal: leaver.signal });
    const ended = assert.rejects(query, isReason(reason));
    await activity.until('/* prepared */', 1);
    leaver.abort(reason);
    await ended;
    assert.equal((await pool.query({ ...statement, values: [3, 0] })).rows[0].n, 3);
  });

  describe('with a cursor', () => {
    it('end one that waits for its reader, and tell the reader', async () => {
      const pool = poolOf();
      const leaver = new AbortController();
      const reason = new Error('gone');
      const client = await pool.connect({ signal: leaver.signal });
      const cursor = client.query(new Cursor('SELECT generate_series(1, 1000000) n'));
      assert.equal((await cursor.read(10)).length, 10);
      leaver.abort(reason);
      await assert.rejects(cursor.read(10), isReason(reason));
      client.release();
      assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
      assert.equal(pool.totalCount, 1);
    });

    it('end one at work', async () => {
      const pool = poolOf();
      const leaver = new AbortController();
      const reason = new Error('gone');
      const client = await pool.connect({ signal: leaver.signal });
      const cursor = client.query(
        new Cursor('SELECT n, pg_sleep(60) /* cursor */ FROM generate_series(1, 5) n'),
      );
      const read = assert.rejects(cursor.read(10), isReason(reason));
      await activity.until('/* cursor */', 1);
      leaver.abort(reason);
      await read;
      client.release();
      await activity.until('/* cursor */', 0);
      assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
    });
  });

  describe('with COPY', () => {
    const errorOf = (stream) => new Promise((resolve) => stream.once('error', resolve));

    it('end one from here: nothing of it is stored', async () => {
      const pool = poolOf();
      const leaver = new AbortController();
      const reason = new Error('gone');
      const client = await pool.connect({ signal: leaver.signal });
      const stream = client.query(copyFrom('COPY notes FROM STDIN'));
      const failed = errorOf(stream);
      await new Promise((resolve) => stream.write('9\thalf\n', resolve));
      leaver.abort(reason);
      assert.equal(await failed, reason);
      client.release();
      assert.equal((await pool.query('SELECT count(*)::int n FROM notes')).rows[0].n, 0);
    });

    it('end one to here, read or not', async () => {
      const pool = poolOf();
      for (const isRead of [true, false]) {
        const leaver = new AbortController();
        const reason = new Error('gone');
        const client = await pool.connect({ signal: leaver.signal });
        const stream = client.query(
          copyTo("COPY (SELECT repeat('x', 1000), generate_series(1, 100000000)) TO STDOUT /* copy */"),
        );
        const failed = errorOf(stream);
        await new Promise((resolve) => stream.once('readable', resolve));
        if (isRead) stream.on('data', () => {});
        leaver.abort(reason);
        assert.equal(await failed, reason);
        client.release();
        await activity.until('/* copy */', 0);
        assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
      }
    });

    it('close the connection of one that was destroyed, and will never see its end', async () => {
      const pool = poolOf();
      const leaver = new AbortController();
      const client = await pool.connect({ signal: leaver.signal });
      const stream = client.query(
        copyTo('COPY (SELECT generate_series(1, 100000000)) TO STDOUT /* copied */'),
      );
      stream.on('error', () => {});
      await new Promise((resolve) => stream.once('readable', resolve));
      leaver.abort(new Error('gone'));
      stream.destroy();
      client.release();
      assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
      await activity.until('/* copied */', 0);
    });
  });

  it('cancel over a Unix socket', async () => {
    const pool = poolOf({ host: server.socketDirectory });
    const leaver = new AbortController();
    const reason = new Error('gone');
    const ended = assert.rejects(
      pool.query({ text: 'SELECT pg_sleep(60) /* unix */', signal: leaver.signal }),
      isReason(reason),
    );
    await activity.until('/* unix */', 1);
    leaver.abort(reason);
    await ended;
    await activity.until('/* unix */', 0);
  });

  it('leave nothing on a signal after 40,000 queries', async () => {
    const pool = poolOf({ max: 5 });
    const { signal } = new AbortController();
    let left = 40_000;
    const worker = async () => {
      while ((left -= 1) >= 0) await pool.query({ text: 'SELECT 1', signal });
    };
    await Promise.all(Array.from({ length: 10 }, worker));
    assert.ok(getEventListeners(signal, 'abort').length <= 1);
    assert.deepEqual([pool.totalCount, pool.idleCount, pool.waitingCount], [5, 5, 0]);
  });

  it('end while cancels are under way, when these are over', async () => {
    const pool = poolOf({ max: 5 });
    const leavers = Array.from({ length: 5 }, () => new AbortController());
    const queries = Promise.allSettled(
      leavers.map(({ signal }) => pool.query({ text: 'SELECT pg_sleep(60) /* ending */', signal })),
    );
    await activity.until('/* ending */', 5);
    for (const leaver of leavers) leaver.abort(new Error('gone'));
    await pool.end();
    await queries;
    await activity.until('/* ending */', 0);
    assert.equal(pool.totalCount, 0);
  });

  it('say what they are not made of', () => {
    assert.throws(() => abortable('postgres://…'), /is a string, but must be a Pool of pg/);
    assert.throws(() => abortable({ getConnection() {} }), /import abortable from 'express-hangup\/mysql2'/);
    assert.throws(() => abortable(new pg.Client()), /must be a Pool: new pg\.Pool/);
    assert.throws(() => abortable({}), /lacks query\(\)/);
    const pool = poolOf();
    assert.throws(() => abortable(pool, { canceltimeout: 1 }), /Did you mean "cancelTimeout"/);
    assert.throws(() => abortable(pool, { cancelTimeout: '5' }), /Number\(…\)/);
    assert.throws(() => pool.query({ text: 'SELECT 1', signal: {} }), /must be an AbortSignal/);
    assert.equal(abortable(pool), pool);
    assert.ok(pool instanceof pg.Pool);
  });

  it('refuse clients of pg 7 and of pg-native in words, when one of their queries has a signal', async () => {
    // pg.native has no Client without the package pg-native, which is C++: this one has of it what a pool needs.
    class Native extends EventEmitter {
      connect(done) {
        process.nextTick(done);
      }
      end(done) {
        process.nextTick(done);
      }
    }
    class Old extends pg.Client {
      constructor(...args) {
        super(...args);
        this.connection.parseMessage = () => {};
      }
    }
    const { signal } = new AbortController();
    const old = poolOf({ Client: Old });
    await assert.rejects(old.query({ text: 'SELECT 1', signal }), /needs pg 8.*pg 7 or older/);
    assert.equal((await old.query('SELECT 1 n')).rows[0].n, 1);
    const native = poolOf({ Client: Native });
    await assert.rejects(
      native.query({ text: 'SELECT 1', signal }),
      /pg-native \(pg\.native\) cannot be cancelled/,
    );
    await assert.rejects(native.connect({ signal }), /pg-native \(pg\.native\) cannot be cancelled/);
  });
});
