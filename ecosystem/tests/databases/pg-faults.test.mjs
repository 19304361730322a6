// What can go wrong between a pool and PostgreSQL while a query is being cancelled.
import assert from 'node:assert/strict';
import { chownSync, chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { abortable } from 'express-hangup/pg';
import pg from 'pg';
import { TEST_CA, TEST_CERTIFICATES, TEST_KEY } from '../test-certificates.mjs';
import { startProxy } from './servers/postgres-proxy.mjs';
import { missingPostgres, startPostgres, watchActivity } from './servers/postgres.mjs';

const skip = missingPostgres();
const SSL_REQUEST = 80877103;
const isReason = (reason) => (error) => error === reason;

describe('a cancel', { skip }, () => {
  let server;
  let activity;
  let proxy;
  const pools = [];

  before(async () => {
    server = await startPostgres();
    activity = await watchActivity(server.config).open();
  });
  afterEach(async () => {
    await activity.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()",
    );
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
    await proxy?.close();
    proxy = undefined;
  });
  after(async () => {
    await activity?.close();
    await server?.stop();
  });

  async function poolThrough(onCancel, own = {}, options = {}) {
    proxy = await startProxy(server.config, onCancel);
    const pool = abortable(new pg.Pool({ ...server.config, port: proxy.port, max: 1, ...options }), own);
    pool.on('error', () => {});
    pools.push(pool);
    return pool;
  }

  const pidOf = async (queryable) => (await queryable.query('SELECT pg_backend_pid() pid')).rows[0].pid;

  it('that comes a moment after its query has ended meets no other query: its connection is closed', async () => {
    const leaver = new AbortController();
    const reason = new Error('gone');
    let late;
    const pool = await poolThrough((pass, socket) => {
      // Like a pooler that answers at once and asks its server later: pgbouncer before 1.18.
      socket.end();
      late = activity.until('/* brief */', 0).then(pass);
    });
    const pid = await pidOf(pool);
    const ended = assert.rejects(
      pool.query({ text: 'SELECT pg_sleep(0.3) /* brief */', signal: leaver.signal }),
      isReason(reason),
    );
    await activity.until('/* brief */', 1);
    leaver.abort(reason);
    await ended;
    const { rows } = await pool.query('SELECT pg_backend_pid() pid, pg_sleep(0.2)');
    await late;
    assert.notEqual(rows[0].pid, pid);
  });

  it('that is not sent before its query has ended by itself is not sent at all, and the connection is kept', async () => {
    const leaver = new AbortController();
    const reason = new Error('gone');
    const pool = await poolThrough();
    const pid = await pidOf(pool);
    const client = await pool.connect({ signal: leaver.signal });
    // The answer is in the socket's buffer when the signal aborts: the query ends in the same turn of the loop.
    const ended = assert.rejects(client.query('SELECT 1'), isReason(reason));
    const { stream } = client.connection;
    stream.prependOnceListener('data', () => leaver.abort(reason));
    await ended;
    client.release();
    assert.equal(proxy.cancels, 0);
    assert.equal(await pidOf(pool), pid);
  });

  it('that is there before its query is sent once more', async () => {
    const leaver = new AbortController();
    const reason = new Error('gone');
    let isFirst = true;
    const pool = await poolThrough((pass, socket) => {
      if (isFirst) socket.end();
      else pass();
      isFirst = false;
    });
    const ended = assert.rejects(
      pool.query({ text: 'SELECT pg_sleep(60) /* overtaken */', signal: leaver.signal }),
      isReason(reason),
    );
    await activity.until('/* overtaken */', 1);
    leaver.abort(reason);
    await ended;
    await activity.until('/* overtaken */', 0);
    assert.equal(proxy.cancels, 2);
    assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
  });

  it('that hangs costs the connection when its time is up; a query of the pool hears at once, one of a client then', async () => {
    const leaver = new AbortController();
    const reason = new Error('gone');
    const pool = await poolThrough(() => {}, { cancelTimeout: 200 });
    const query = assert.rejects(
      pool.query({ text: 'SELECT pg_sleep(60) /* hung */', signal: leaver.signal }),
      isReason(reason),
    );
    await activity.until('/* hung */', 1);
    const start = performance.now();
    leaver.abort(reason);
    await query;
    assert.ok(performance.now() - start < 100);
    assert.equal(pool.totalCount, 1);
    assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);

    const client = await pool.connect({ signal: AbortSignal.timeout(50) });
    await assert.rejects(client.query('SELECT pg_sleep(60) /* hung */'), { name: 'TimeoutError' });
    await assert.rejects(client.query('ROLLBACK'), /closed|terminated/i);
    client.release();
    assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
  });

  it('that is refused costs the connection, and nobody waits', async () => {
    const leaver = new AbortController();
    const reason = new Error('gone');
    const pool = await poolThrough((pass, socket) => socket.resetAndDestroy());
    const query = assert.rejects(
      pool.query({ text: 'SELECT pg_sleep(60) /* refused */', signal: leaver.signal }),
      isReason(reason),
    );
    await activity.until('/* refused */', 1);
    leaver.abort(reason);
    await query;
    assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
  });

  it('amid which the server dies leaves a pool that works when the server is back', async () => {
    const dying = await startPostgres();
    try {
      const leaver = new AbortController();
      const reason = new Error('gone');
      proxy = await startProxy(dying.config, () => void dying.end('SIGQUIT'));
      const pool = abortable(new pg.Pool({ ...dying.config, port: proxy.port, max: 2 }), {
        cancelTimeout: 2000,
      });
      pool.on('error', () => {});
      pools.push(pool);
      const bystander = pool.query('SELECT pg_sleep(60) /* bystander */');
      const client = await pool.connect({ signal: leaver.signal });
      client.on('error', () => {});
      const ended = assert.rejects(client.query('SELECT pg_sleep(60)'), isReason(reason));
      leaver.abort(reason);
      await Promise.all([ended, assert.rejects(bystander)]);
      client.release();
      await dying.start();
      assert.equal((await pool.query('SELECT 7 n')).rows[0].n, 7);
    } finally {
      await dying.stop();
    }
  });

  it('is sent over TLS where its query went over TLS', async () => {
    for (const [name, text] of [
      ['server.crt', TEST_CERTIFICATES.trusted],
      ['server.key', TEST_KEY],
    ]) {
      const file = join(server.data, name);
      writeFileSync(file, text);
      chownSync(file, server.user.uid, server.user.gid);
      chmodSync(file, 0o600);
    }
    await activity.query('ALTER SYSTEM SET ssl = on');
    await activity.query('SELECT pg_reload_conf()');
    const pool = await poolThrough(undefined, {}, { host: 'localhost', ssl: { ca: TEST_CA } });
    await untilConnects(pool);
    const leaver = new AbortController();
    const reason = new Error('gone');
    const ended = assert.rejects(
      pool.query({ text: 'SELECT pg_sleep(60) /* tls */', signal: leaver.signal }),
      isReason(reason),
    );
    await activity.until('/* tls */', 1);
    leaver.abort(reason);
    await ended;
    await activity.until('/* tls */', 0);
    // In the clear each connection only asks for TLS: the cancel's, too, which is the last one.
    assert.ok(proxy.firstWords.length >= 2);
    assert.ok(proxy.firstWords.every((word) => word === SSL_REQUEST));
    assert.equal(pool.totalCount, 1);
  });
});

/** The server reads its settings anew in its own time. */
async function untilConnects(pool) {
  for (let left = 50; ; left -= 1) {
    try {
      return await pool.query('SELECT 1');
    } catch (error) {
      if (left === 0 || !/does not support SSL/.test(error.message)) throw error;
    }
  }
}
