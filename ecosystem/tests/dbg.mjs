import { startPostgres, watchActivity } from './databases/servers/postgres.mjs';
import { abortable } from 'express-hangup/pg';
import pg from 'pg';
const s = await startPostgres();
try {
  const w = await watchActivity(s.config).open();
  const pool = abortable(new pg.Pool({ ...s.config, max: 5 }));
  const c = new AbortController();
  const q = pool.query({ text: 'select pg_sleep(3) /* median */', signal: c.signal });
  q.catch((e) => console.log('rejected', e.message, performance.now()));
  for (let i = 0; i < 5; i++) {
    console.log(await w.running('/* median */'));
    await new Promise((r) => setTimeout(r, 100));
  }
  console.log((await w.query('select pid, state, query, wait_event from pg_stat_activity')).rows);
} finally {
  await s.stop();
}
process.exit();
