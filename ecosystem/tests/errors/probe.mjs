import { classifyError } from 'express-hangup';
import { startPostgres } from '../databases/servers/postgres.mjs';
import { startMariadb } from '../databases/servers/mariadb.mjs';
import { startTcpProxy } from '../databases/servers/tcp-proxy.mjs';
import { createServer } from 'node:net';
import { Sequelize } from 'sequelize';
import knex from 'knex';
import { createClient } from 'redis';
import Redis from 'ioredis';
import mongoose from 'mongoose';
import { MongoClient } from 'mongodb';
import { Client as Elastic } from '@elastic/elasticsearch';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import mariadb from 'mariadb';
import postgres from 'postgres';
import { DataSource } from 'typeorm';
import { createServer as http } from 'node:http';

const chain = (e, d = 0) => {
  if (!e || typeof e !== 'object' || d > 4) return '';
  const { name, message, code, errno, status, statusCode, syscall, type } = e;
  return `${' '.repeat(d * 2)}${e.constructor?.name} ${JSON.stringify({ name, message: String(message).slice(0, 160), code, errno, status, statusCode, syscall, type })} keys=${Object.keys(e)}\n`
    + ['cause', 'parent', 'original', 'reason', 'driverError', 'originalError', 'meta'].filter((k) => e[k] && typeof e[k] === 'object').map((k) => `${' '.repeat(d * 2)}.${k}:\n${chain(e[k], d + 1)}`).join('')
    + (Array.isArray(e.errors) ? e.errors.map((x) => `.errors:\n${chain(x, d + 1)}`).join('') : '');
};
const see = async (title, work) => {
  try {
    const r = await Promise.race([work(), new Promise((_, j) => setTimeout(j, 12000, new Error('PROBE TIMEOUT')))]);
    console.log(`## ${title}: no error`, String(r).slice(0, 80));
  } catch (e) {
    console.log(`## ${title}: ${classifyError(e)?.code}\n${chain(e)}`);
  }
};
const silent = await new Promise((r) => { const s = createServer((c) => c.on('error', () => {})); s.listen(0, '127.0.0.1', () => r(s)); });
const resetting = await new Promise((r) => { const s = createServer((c) => { c.on('error', () => {}); c.once('data', () => c.resetAndDestroy()); }); s.listen(0, '127.0.0.1', () => r(s)); });
const closing = await new Promise((r) => { const s = createServer((c) => { c.on('error', () => {}); c.end(); }); s.listen(0, '127.0.0.1', () => r(s)); });
const nobody = await new Promise((r) => { const s = createServer(); s.listen(0, '127.0.0.1', () => { const p = s.address().port; s.close(() => r(p)); }); });
const P = { silent: silent.address().port, resetting: resetting.address().port, closing: closing.address().port, nobody };
process.on('uncaughtException', (e) => console.log('UNCAUGHT', e.message));
const only = process.argv[2];
const group = async (name, f) => { if (!only || only === name) { try { await f(); } catch (e) { console.log('GROUP', name, e); } } };

await group('redis', async () => {
  for (const [k, port] of Object.entries(P)) {
    await see(`node-redis connect ${k}`, async () => { const c = createClient({ socket: { host: '127.0.0.1', port, connectTimeout: 300, reconnectStrategy: false } }); c.on('error', () => {}); await c.connect(); await c.get('a'); });
  }
  await see('node-redis closed client', async () => { const c = createClient({ socket: { host: '127.0.0.1', port: nobody } }); c.on('error', () => {}); await c.get('a'); });
  await see('node-redis offline queue off', async () => { const c = createClient({ disableOfflineQueue: true, socket: { host: '127.0.0.1', port: nobody, reconnectStrategy: 1000 } }); c.on('error', () => {}); c.connect().catch(() => {}); await new Promise((r) => setTimeout(r, 100)); try { await c.get('a'); } finally { c.destroy(); } });
  await see('node-redis commandTimeout', async () => { const c = createClient({ commandOptions: { timeout: 200 }, socket: { host: '127.0.0.1', port: nobody, reconnectStrategy: 1000 } }); c.on('error', () => {}); c.connect().catch(() => {}); try { await c.get('a'); } finally { c.destroy(); } });
  await see('node-redis socketTimeout', async () => { const c = createClient({ socket: { host: '127.0.0.1', port: P.silent, socketTimeout: 300, reconnectStrategy: false } }); c.on('error', () => {}); await c.connect(); await c.get('a'); });
  for (const [k, port] of Object.entries(P)) {
    await see(`ioredis ${k}`, async () => { const c = new Redis({ host: '127.0.0.1', port, connectTimeout: 300, commandTimeout: 1000, maxRetriesPerRequest: 1, retryStrategy: () => 20 }); c.on('error', () => {}); try { await c.get('a'); } finally { c.disconnect(); } });
  }
});
await group('mongo', async () => {
  for (const [k, port] of Object.entries(P)) {
    await see(`mongodb ${k}`, async () => { const c = new MongoClient(`mongodb://127.0.0.1:${port}`, { serverSelectionTimeoutMS: 400, connectTimeoutMS: 300, socketTimeoutMS: 300 }); try { await c.db('a').collection('b').findOne({}); } finally { await c.close(); } });
    await see(`mongoose ${k}`, async () => { const c = mongoose.createConnection(`mongodb://127.0.0.1:${port}`, { serverSelectionTimeoutMS: 400, connectTimeoutMS: 300, bufferTimeoutMS: 200 }); c.on('error', () => {}); c.asPromise().catch(() => {}); try { await c.model('X', new mongoose.Schema({ a: Number })).findOne({}); } finally { await c.close().catch(() => {}); } });
    await see(`mongoose connect ${k}`, async () => { const c = mongoose.createConnection(`mongodb://127.0.0.1:${port}`, { serverSelectionTimeoutMS: 400, connectTimeoutMS: 300 }); c.on('error', () => {}); await c.asPromise(); });
  }
});
await group('http', async () => {
  const hang = http(() => {}); await new Promise((r) => hang.listen(0, '127.0.0.1', r)); const hp = hang.address().port;
  const H = { ...P, hang: hp };
  for (const [k, port] of Object.entries(H)) {
    await see(`elastic ${k}`, () => new Elastic({ node: `http://127.0.0.1:${port}`, requestTimeout: 300, maxRetries: 0 }).info());
    await see(`aws ${k}`, () => new DynamoDBClient({ region: 'x', endpoint: `http://127.0.0.1:${port}`, maxAttempts: 1, credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, requestHandler: { requestTimeout: 300, connectionTimeout: 300, throwOnRequestTimeout: true } }).send(new ListTablesCommand({})));
    await see(`openai ${k}`, () => new OpenAI({ apiKey: 'a', baseURL: `http://127.0.0.1:${port}`, maxRetries: 0, timeout: 300 }).models.list());
    await see(`anthropic ${k}`, () => new Anthropic({ apiKey: 'a', baseURL: `http://127.0.0.1:${port}`, maxRetries: 0, timeout: 300 }).models.list());
  }
  const abort = () => AbortSignal.timeout(100);
  await see('elastic abort', () => new Elastic({ node: `http://127.0.0.1:${hp}`, maxRetries: 0 }).info({}, { signal: abort() }));
  await see('aws abort', () => new DynamoDBClient({ region: 'x', endpoint: `http://127.0.0.1:${hp}`, maxAttempts: 1, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }).send(new ListTablesCommand({}), { abortSignal: abort() }));
  await see('openai abort', () => new OpenAI({ apiKey: 'a', baseURL: `http://127.0.0.1:${hp}`, maxRetries: 0 }).models.list({ signal: abort() }));
  await see('anthropic abort', () => new Anthropic({ apiKey: 'a', baseURL: `http://127.0.0.1:${hp}`, maxRetries: 0 }).models.list({}, { signal: abort() }));
  hang.closeAllConnections(); hang.close();
});
await group('sql', async () => {
  const my = await startMariadb({ 'max-connections': 30 }); const pgs = await startPostgres();
  const targets = { ...P };
  for (const [k, port] of Object.entries(targets)) {
    await see(`sequelize pg ${k}`, async () => { const s = new Sequelize('a', 'b', 'c', { host: '127.0.0.1', port, dialect: 'postgres', logging: false, retry: { max: 0 }, pool: { acquire: 800 }, dialectOptions: { connectionTimeoutMillis: 300 } }); try { await s.query('select 1'); } finally { s.close().catch(() => {}); } });
    await see(`sequelize mysql ${k}`, async () => { const s = new Sequelize('a', 'b', 'c', { host: '127.0.0.1', port, dialect: 'mysql', logging: false, pool: { acquire: 800 }, dialectOptions: { connectTimeout: 300 } }); try { await s.query('select 1'); } finally { s.close().catch(() => {}); } });
    await see(`sequelize mariadb ${k}`, async () => { const s = new Sequelize('a', 'b', 'c', { host: '127.0.0.1', port, dialect: 'mariadb', logging: false, pool: { acquire: 800 }, dialectOptions: { connectTimeout: 300 } }); try { await s.query('select 1'); } finally { s.close().catch(() => {}); } });
    await see(`knex pg ${k}`, async () => { const s = knex({ client: 'pg', connection: { host: '127.0.0.1', port, connectionTimeoutMillis: 300 }, acquireConnectionTimeout: 800 }); try { await s.raw('select 1'); } finally { s.destroy().catch(() => {}); } });
    await see(`typeorm pg ${k}`, () => new DataSource({ type: 'postgres', host: '127.0.0.1', port, connectTimeoutMS: 300 }).initialize());
    await see(`mariadb ${k}`, async () => { const c = await mariadb.createConnection({ host: '127.0.0.1', port, connectTimeout: 300 }); });
    await see(`mariadb pool ${k}`, async () => { const p = mariadb.createPool({ host: '127.0.0.1', port, connectTimeout: 300, acquireTimeout: 800, initializationTimeout: 700 }); try { await p.query('select 1'); } finally { p.end().catch(() => {}); } });
    await see(`postgres.js ${k}`, async () => { const s = postgres({ host: '127.0.0.1', port, connect_timeout: 1, max: 1 }); try { await s`select 1`; } finally { s.end({ timeout: 0 }); } });
  }
  const { host, port, user, database } = pgs.config; const m = my.config;
  await see('sequelize pg statement timeout', async () => { const s = new Sequelize(database, user, '', { host, port, dialect: 'postgres', logging: false, dialectOptions: { statement_timeout: 200 } }); try { await s.query('select pg_sleep(5)'); } finally { await s.close(); } });
  await see('sequelize pool full', async () => { const s = new Sequelize(database, user, '', { host, port, dialect: 'postgres', logging: false, pool: { max: 1, acquire: 300 } }); const q = s.query('select pg_sleep(2)'); try { await s.query('select 1'); } finally { await q; await s.close(); } });
  await see('sequelize syntax', async () => { const s = new Sequelize(database, user, '', { host, port, dialect: 'postgres', logging: false }); try { await s.query('selec'); } finally { await s.close(); } });
  await see('sequelize password', async () => { const s = new Sequelize(m.database, 'nobody', 'x', { host, port: m.port, dialect: 'mysql', logging: false }); try { await s.query('select 1'); } finally { await s.close(); } });
  await see('knex pool full', async () => { const s = knex({ client: 'pg', connection: pgs.config, pool: { min: 0, max: 1 }, acquireConnectionTimeout: 300 }); const q = s.raw('select pg_sleep(1)').then(() => {}); try { await s.raw('select 1'); } finally { await q; await s.destroy(); } });
  await see('knex timeout', async () => { const s = knex({ client: 'pg', connection: pgs.config }); try { await s.raw('select pg_sleep(2)').timeout(200); } finally { await s.destroy(); } });
  await see('knex timeout cancel', async () => { const s = knex({ client: 'pg', connection: pgs.config }); try { await s.raw('select pg_sleep(2)').timeout(200, { cancel: true }); } finally { await s.destroy(); } });
  await see('knex tx pool', async () => { const s = knex({ client: 'mysql2', connection: m, pool: { min: 0, max: 1 }, acquireConnectionTimeout: 300 }); const q = s.raw('select sleep(1)').then(() => {}); try { await s.raw('select 1'); } finally { await q; await s.destroy(); } });
  await see('mariadb max_statement_time mysql2', async () => { const { default: my2 } = await import('mysql2/promise'); const c = await my2.createConnection(m); try { await c.query('SET STATEMENT max_statement_time=0.2 FOR SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c'); } finally { await c.end(); } });
  await see('mariadb max_statement_time mariadb', async () => { const c = await mariadb.createConnection(m); try { await c.query('SET STATEMENT max_statement_time=0.2 FOR SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c'); } finally { await c.end(); } });
  await see('mariadb queryTimeout', async () => { const c = await mariadb.createConnection({ ...m, queryTimeout: 200 }); try { await c.query('SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c'); } finally { await c.end(); } });
  await see('mariadb socketTimeout', async () => { const c = await mariadb.createConnection({ ...m, socketTimeout: 200 }); await c.query('SELECT SLEEP(2)'); });
  await see('mariadb pool full', async () => { const p = mariadb.createPool({ ...m, connectionLimit: 1, acquireTimeout: 300 }); const q = p.query('select sleep(1)'); try { await p.query('select 1'); } finally { await q; await p.end(); } });
  await see('mysql2 too many', async () => { const { default: my2 } = await import('mysql2/promise'); const all = []; try { for (let i = 0; i < 40; i++) all.push(await my2.createConnection(m)); } finally { all.forEach((c) => c.destroy()); } });
  await see('mysql2 queue limit', async () => { const { default: my2 } = await import('mysql2/promise'); const p = my2.createPool({ ...m, connectionLimit: 1, queueLimit: 1 }); const q = [p.query('select sleep(0.5)'), p.query('select 1')]; try { await p.query('select 1'); } finally { await Promise.all(q); await p.end(); } });
  await see('mysql2 lock wait', async () => { const { default: my2 } = await import('mysql2/promise'); const a = await my2.createConnection(m); const b = await my2.createConnection(m); await a.query('create table if not exists l (i int primary key) engine=innodb'); await a.query('insert ignore into l values (1)'); await a.query('begin'); await a.query('select * from l where i=1 for update'); await b.query('set innodb_lock_wait_timeout=1'); try { await b.query('update l set i=2 where i=1'); } finally { a.destroy(); b.destroy(); } });
  await see('pg lock timeout', async () => { const { default: pg } = await import('pg'); const a = new pg.Client(pgs.config); const b = new pg.Client({ ...pgs.config, lock_timeout: 200 }); await a.connect(); await b.connect(); await a.query('create table l (i int)'); await a.query('begin; lock table l'); try { await b.query('select * from l'); } finally { await a.end(); await b.end(); } });
  // server dies mid-query
  const dead = async (title, f) => { await see(title, f); };
  const seq = new Sequelize(database, user, '', { host, port, dialect: 'postgres', logging: false }); await seq.query('select 1');
  const kn = knex({ client: 'pg', connection: pgs.config }); await kn.raw('select 1');
  const ty = new DataSource({ type: 'postgres', host, port, username: user, database }); await ty.initialize();
  const js = postgres({ ...pgs.config, max: 1 }); await js`select 1`;
  const works = [['sequelize', seq.query('select pg_sleep(9)')], ['knex', kn.raw('select pg_sleep(9)').then((x) => x)], ['typeorm', ty.query('select pg_sleep(9)')], ['postgres.js', js`select pg_sleep(9)`.then((x) => x)]];
  works.forEach(([, w]) => w.catch(() => {}));
  await new Promise((r) => setTimeout(r, 300));
  await pgs.end('SIGQUIT');
  for (const [n, w] of works) await see(`${n} server dies`, () => w);
  await see('sequelize after', () => seq.query('select 1')); await see('knex after', () => kn.raw('select 1')); await see('typeorm after', () => ty.query('select 1'));
  const ms = new Sequelize(m.database, m.user, '', { host, port: m.port, dialect: 'mysql', logging: false }); await ms.query('select 1');
  const mdb = await mariadb.createConnection(m); mdb.on('error', () => {});
  const w2 = [['sequelize mysql', ms.query('select sleep(9)')], ['mariadb', mdb.query('select sleep(9)')]];
  w2.forEach(([, w]) => w.catch(() => {}));
  await new Promise((r) => setTimeout(r, 300));
  await my.end('SIGKILL');
  for (const [n, w] of w2) await see(`${n} server dies`, () => w);
  await see('sequelize mysql after', () => ms.query('select 1'));
  await see('mariadb after', () => mdb.query('select 1'));
  await my.stop(); await pgs.stop();
});
process.exit(0);
