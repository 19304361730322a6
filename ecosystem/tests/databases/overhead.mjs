// What a query costs this process with and without abortable(): node tests/databases/overhead.mjs [queries] [blocks]
// CPU time of blocks of `SELECT 1` in turns; the least block of each counts, and the median ratio of neighbouring ones.
import { abortable } from 'express-hangup/pg';
import pg from 'pg';
import { missingPostgres, startPostgres } from './servers/postgres.mjs';

const [queries = 4000, blocks = 25] = process.argv.slice(2).map(Number);
if (missingPostgres()) {
  console.log(missingPostgres());
  process.exit(0);
}
const server = await startPostgres();
const poolOf = () => new pg.Pool({ ...server.config, max: 4 });
const signal = new AbortController().signal;
const kinds = {
  'pg alone': [poolOf(), { text: 'SELECT $1::int', values: [1] }],
  'abortable(), no signal': [abortable(poolOf()), { text: 'SELECT $1::int', values: [1] }],
  'abortable(), with a signal': [abortable(poolOf()), { text: 'SELECT $1::int', values: [1], signal }],
};

async function block([pool, query]) {
  globalThis.gc?.();
  const before = process.cpuUsage();
  let left = queries;
  const worker = async () => {
    while ((left -= 1) >= 0) await pool.query(query);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / queries;
}

const times = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
for (let i = 0; i < blocks + 3; i += 1) {
  for (const [name, kind] of Object.entries(kinds)) {
    const time = await block(kind);
    if (i >= 3) times[name].push(time);
  }
}
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const alone = times['pg alone'];
for (const [name, list] of Object.entries(times)) {
  const ratios = list.map((time, i) => time / alone[i]);
  console.log(
    `${name.padEnd(28)} least ${Math.min(...list).toFixed(1)} µs, ${(Math.min(...list) / Math.min(...alone)).toFixed(3)} times; median ratio ${median(ratios).toFixed(3)}`,
  );
}
await Promise.all(Object.values(kinds).map(([pool]) => pool.end()));
await server.stop();
