// The client of overhead.mjs and overhead-instructions.mjs, in a process of its own: node overhead-client.mjs <subject>
import { createRequire } from 'node:module';
import pg from 'pg';
import { answer } from '../../../bench/lib/commands.mjs';
import { inMemory } from './servers/postgres-in-memory.mjs';

const [subject] = process.argv.slice(2);
const config = process.env.POSTGRES ? JSON.parse(process.env.POSTGRES) : inMemory;
const { abortable } = createRequire(import.meta.url)(process.env.ABORTABLE ?? 'express-hangup/pg');
const shared = new AbortController().signal;

const query = { text: 'SELECT $1::int', values: [1] };
const alone = [(pool) => pool, () => ({ ...query, signal: new AbortController().signal })];
const subjects = {
  'pg alone': [(pool) => pool, () => query],
  'pg alone, once more': [(pool) => pool, () => query],
  'abortable(), no signal': [abortable, () => query],
  'abortable(), a signal for all': [abortable, () => ({ ...query, signal: shared })],
  'pg alone, an AbortController for each': alone,
  'pg alone, an AbortController for each, once more': alone,
  'abortable(), a signal for each': [abortable, () => ({ ...query, signal: new AbortController().signal })],
};
const [prepare, next] = subjects[subject];
const pool = prepare(new pg.Pool({ ...config, max: 4 }));

async function run(queries) {
  let left = queries;
  const worker = async () => {
    while ((left -= 1) >= 0) await pool.query(next());
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

answer({}, { run });
