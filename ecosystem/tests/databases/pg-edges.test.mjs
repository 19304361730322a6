// express-hangup/pg where an abort comes at the worst moment, and beside what else people do with a pool.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { abortable } from 'express-hangup/pg';
import pg from 'pg';
import QueryStream from 'pg-query-stream';
import { missingPostgres, startPostgres, watchActivity } from './servers/postgres.mjs';

const isReason = (reason) => (error) => error === reason;

describe('an abortable() pool of pg', { skip: missingPostgres() }, () => {
  let server;
  let activity;
  const pools = [];

  before(async () => {
    server = await startPostgres();
    activity = await watchActivity(server.config).open();
  });
  afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.end())));
  after(async () => {
    await activity?.close();
    await server?.stop();
  });

  function plainPool(options = {}) {
    const pool = new pg.Pool({ ...server.config, max: 1, application_name: 'edges', ...options });
    pools.push(pool);
    return pool;
  }
  const pidOf = async (queryable) => (await queryable.query('SELECT pg_backend_pid() pid')).rows[0].pid;

  it('sends nothing for a client that leaves between the checkout and the query', async () => {
    const pool = abortable(plainPool());
    const pid = await pidOf(pool);
    const leaver = new AbortController();
    const reason = new Error('gone');
    const sent = [];
    pool.once('acquire', (client) => {
      leaver.abort(reason);
      const { query } = client.connection;
      client.connection.query = (text) => (sent.push(text), query.call(client.connection, text));
    });
    await assert.rejects(
      pool.query({ text: 'SELECT 1 /* late */', signal: leaver.signal }),
      isReason(reason),
    );
    assert.equal(await pidOf(pool), pid);
    assert.deepEqual(sent, ['SELECT pg_backend_pid() pid']);
  });

  it('waits with a query, and its cancel, for those that the app has sent on a new connection', async () => {
    const pool = abortable(plainPool());
    const settings = [];
    pool.on('connect', (client) => settings.push(client.query("SELECT pg_sleep(0.2), 'first' word")));
    const leaver = new AbortController();
    const reason = new Error('gone');
    const ended = assert.rejects(
      pool.query({ text: 'SELECT pg_sleep(60) /* second */', signal: leaver.signal }),
      isReason(reason),
    );
    await activity.until("'first'", 1);
    leaver.abort(reason);
    await ended;
    assert.equal((await settings[0]).rows[0].word, 'first');
    assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
    assert.equal((await activity.running('/* second */')).length, 0);
  });

  it('ends a query that goes on when a cancel meets the moment between two of them', async () => {
    const pool = abortable(plainPool({ max: 3 }));
    const outcomes = { left: 0, innocent: 0 };
    await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const leaver = new AbortController();
        const query = pool.query({ text: 'SELECT $1::int n', values: [i], signal: leaver.signal });
        if (i % 2) {
          // In about the same turn of the event loop in which the answer comes.
          setTimeout(() => leaver.abort(new Error('gone')), i / 3);
          await query.then(
            ({ rows }) => assert.equal(rows[0].n, i),
            (error) => assert.equal(error.message, 'gone'),
          );
          outcomes.left += 1;
        } else {
          assert.equal((await query).rows[0].n, i);
          outcomes.innocent += 1;
        }
      }),
    );
    assert.deepEqual(outcomes, { left: 150, innocent: 150 });
    assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
  });

  it('names the function that asked in the stack of a database error, with a signal and without', async () => {
    const pool = abortable(plainPool());
    const { signal } = new AbortController();
    const client = await pool.connect();
    for (const [queryable, query] of [
      [client, { text: 'SELEC 1', signal }],
      [client, 'SELEC 1'],
    ]) {
      await assert.rejects(askWrongly(queryable, query), (error) => /askWrongly/.test(error.stack));
    }
    client.release();
    for (const query of [{ text: 'SELEC 1', signal }, 'SELEC 1'])
      await assert.rejects(askWrongly(pool, query), (error) => /askWrongly/.test(error.stack));
  });

  async function askWrongly(queryable, query) {
    return await queryable.query(query);
  }

  it('serves on connections that were made before it was abortable, and by a tracer that comes later', async () => {
    const pool = plainPool();
    const pid = await pidOf(pool);
    abortable(pool);
    const seen = [];
    const { query } = pg.Client.prototype;
    pg.Client.prototype.query = function (config, ...rest) {
      seen.push(config.text ?? config);
      return query.call(this, config, ...rest);
    };
    try {
      const leaver = new AbortController();
      const reason = new Error('gone');
      const text = 'SELECT pg_sleep(60) /* before */';
      const ended = assert.rejects(pool.query({ text, signal: leaver.signal }), isReason(reason));
      await activity.until('/* before */', 1);
      leaver.abort(reason);
      await ended;
      assert.equal(await pidOf(pool), pid);
      assert.deepEqual(
        seen.filter((sql) => /before|backend_pid\(\) pid$/.test(sql)),
        [text, 'SELECT pg_backend_pid() pid'],
      );
    } finally {
      pg.Client.prototype.query = query;
    }
  });

  it('refuses a second release, also of an earlier checkout, in the words of pg', async () => {
    const pool = abortable(plainPool());
    const first = await pool.connect();
    const { release } = first;
    first.release();
    const second = await pool.connect();
    assert.equal(second, first);
    assert.throws(() => release(), /already been released/);
    assert.equal(pool.idleCount, 0);
    second.release();
  });

  describe('with pg-query-stream', () => {
    const text = 'SELECT n, repeat($1, 100) FROM generate_series(1, 1000000) n /* stream */';

    it('ends a stream that is read, and one whose reader has stopped', async () => {
      for (const isRead of [true, false]) {
        const pool = abortable(plainPool());
        const pid = await pidOf(pool);
        const leaver = new AbortController();
        const reason = new Error('gone');
        const client = await pool.connect({ signal: leaver.signal });
        const stream = client.query(new QueryStream(text, ['x']));
        const failed = new Promise((resolve) => stream.once('error', resolve));
        await new Promise((resolve) => stream.once('readable', resolve));
        if (isRead) stream.on('data', () => {});
        leaver.abort(reason);
        assert.equal(await failed, reason);
        client.release();
        assert.equal(await pidOf(pool), pid);
        await activity.until('/* stream */', 0);
      }
    });

    it('ends a stream whose rows take their time', async () => {
      const pool = abortable(plainPool());
      const leaver = new AbortController();
      const reason = new Error('gone');
      const client = await pool.connect({ signal: leaver.signal });
      const stream = client.query(
        new QueryStream('SELECT n, pg_sleep(60) /* slow stream */ FROM generate_series(1, 5) n'),
      );
      const read = assert.rejects(async () => {
        for await (const row of stream) assert.fail(`a row came: ${row.n}`);
      }, isReason(reason));
      await activity.until('/* slow stream */', 1);
      leaver.abort(reason);
      await read;
      client.release();
      await activity.until('/* slow stream */', 0);
      assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
    });
  });
});
