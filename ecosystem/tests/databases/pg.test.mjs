// express-hangup/pg against a real PostgreSQL: what runs there is seen in pg_stat_activity.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { abortable } from 'express-hangup/pg';
import pg from 'pg';
import { missingPostgres, startPostgres, watchActivity } from './servers/postgres.mjs';

const skip = missingPostgres();

describe('abortable() pools of pg', { skip }, () => {
  let server;
  let activity;
  const pools = [];

  before(async () => {
    server = await startPostgres();
    activity = await watchActivity(server.config).open();
    await activity.query('CREATE TABLE rows (id int, note text)');
  });
  afterEach(async () => {
    // What a failed test has left running must not keep the rest from running.
    await activity.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()",
    );
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
  });
  after(async () => {
    await activity?.close();
    await server?.stop();
  });

  function poolOf(options = {}, own = {}) {
    const pool = abortable(new pg.Pool({ ...server.config, max: 5, ...options }), own);
    pool.on('error', () => {});
    pools.push(pool);
    return pool;
  }

  it('end a query in the database within 50 ms at the median, and keep its connection', async () => {
    const pool = poolOf();
    const times = [];
    const pids = new Set();
    for (let i = 0; i < 21; i += 1) {
      const leaver = new AbortController();
      const query = pool.query({
        text: 'SELECT pg_backend_pid() pid, pg_sleep(60) /* median */',
        signal: leaver.signal,
      });
      await activity
        .until('/* median */', 1)
        .then(async () => pids.add((await activity.running('/* median */'))[0].pid));
      const reason = new Error(`gone ${i}`);
      const ended = assert.rejects(query, (error) => error === reason);
      const start = performance.now();
      leaver.abort(reason);
      await ended;
      await activity.until('/* median */', 0);
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    assert.ok(times[10] < 50, `median ${times[10]} ms of ${times.map(Math.round)}`);
    assert.equal(pids.size, 1);
    assert.equal(pool.totalCount, 1);
  });
});
