import { startMariadb, watchProcesses } from './databases/servers/mariadb.mjs';
import { abortable } from 'express-hangup/mysql2';
import mysqlCallbacks from 'mysql2';
const server = await startMariadb();
const processes = await watchProcesses(server.config);
setTimeout(() => process.exit(1), 8000).unref();
try {
  const pool = abortable(mysqlCallbacks.createPool({ ...server.config, connectionLimit: 1 }));
  const leaver = new AbortController();
  const reason = new Error('gone');
  const told = new Promise((resolve) => {
    pool.query({ sql: 'SELECT SLEEP(60) /* callback */', signal: leaver.signal }, (...args) => resolve(args));
  });
  await processes.until('/* callback */', 1);
  leaver.abort(reason);
  console.log((await told)[0].message);

  const reader = new AbortController();
  const stream = pool
    .query({ sql: 'SELECT seq, SLEEP(0.05) /* stream */ FROM seq_1_to_1000', signal: reader.signal })
    .stream();
  const failed = new Promise((resolve) => stream.once('error', resolve));
  for (const e of ['end', 'error', 'data', 'close']) stream.on(e, () => console.log(e));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  console.log(await processes.running('stream'));
  console.log(pool._allConnections.length, pool._freeConnections.length, pool._connectionQueue.length);
  reader.abort(reason);
  console.log(await failed);
  await processes.until('/* stream */', 0);
} finally {
  await server.stop();
}
process.exit();
