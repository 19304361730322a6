// The same slow report twice: from a pool that is abortable(), and from one as it is. These lines are what you would write.
import { createServer } from 'node:http';
import express from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { abortable } from 'express-hangup/pg';
import { listen } from '../processes/inside.mjs';
import { config, pg } from './server.mjs';

const pools = { abortable: abortable(poolOf('abortable')), plain: poolOf('plain') };
const SLOW_REPORT = `SELECT 'March' AS month, pg_sleep(4)`;

const app = express();
app.use(hangup({ context: true }));

app.get('/:pool/report', async (req, res) => {
  const { rows } = await pools[req.params.pool].query(SLOW_REPORT);
  res.json(rows);
});

// What PostgreSQL is doing for each of them.
const watcher = poolOf('watcher');
app.get('/activity', async (req, res) => {
  const { rows } = await watcher.query(`
    SELECT application_name AS pool, pid, round(extract(epoch FROM clock_timestamp() - query_start) * 1000)::int AS ms
    FROM pg_stat_activity WHERE state = 'active' AND application_name IN ('abortable', 'plain') ORDER BY pid`);
  res.json(rows);
});
app.use(gatewayErrorHandler());

function poolOf(name) {
  const pool = new pg.Pool({ ...config, application_name: name, max: 5 });
  // A connection that is lost while nobody uses it: without a listener it would end the process.
  return pool.on('error', () => {});
}

listen(createServer(app));
