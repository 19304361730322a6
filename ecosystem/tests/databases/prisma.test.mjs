// Prisma 7 over a real PostgreSQL: its queries end with their request, and its errors get the status that they stand for.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import express from 'express';
import { classifyError, deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import { abortable } from 'express-hangup/pg';
import pg from 'pg';
import { errorOf, openFaultyPorts } from '../errors/faulty-ports.mjs';
import { missingPostgres, startPostgres, watchActivity } from './servers/postgres.mjs';
import { CREATE_NOTES, prismaOver } from './servers/prisma.mjs';
import { startApp } from './servers/request.mjs';

describe('Prisma over abortable(pool)', { skip: missingPostgres() }, () => {
  let server;
  let activity;
  let app;
  let pool;
  let prisma;

  before(async () => {
    server = await startPostgres();
    activity = await watchActivity(server.config).open();
    await activity.query(CREATE_NOTES);
    app = await startApp();
    pool = abortable(new pg.Pool({ ...server.config, max: 1 }));
    pool.on('error', () => {});
    prisma = prismaOver(pool);
  });
  after(async () => {
    await prisma?.$disconnect();
    await pool?.end();
    await app?.close();
    await activity?.close();
    await server?.stop();
  });

  /** Lets a request run `work`, its client leave when the database runs it, and waits until the database has ended it. */
  async function leaveAmid(mark, work) {
    const request = app.request(work);
    await activity.until(mark, 1);
    request.leave();
    const { status, reason, aborted } = await request.ended;
    await activity.until(mark, 0);
    assert.equal(status, 'rejected');
    assert.equal(aborted.code, 'CLIENT_CLOSED_REQUEST');
    assert.equal(reason.code, 'CLIENT_CLOSED_REQUEST', 'its code is all that Prisma keeps of the reason');
    // Also for another request that shares the promise, and is not aborted itself.
    assert.equal(classifyError(reason)?.code, 'CLIENT_CLOSED_REQUEST');
    assert.equal(pool.totalCount, 1);
  }

  it('ends a raw query in the database', async () => {
    await leaveAmid('/* raw */', () => prisma.$executeRawUnsafe('SELECT pg_sleep(60) /* raw */'));
    assert.equal(await prisma.note.count(), 0);
  });

  it('ends the query of a model that waits for a lock', async () => {
    const locker = new pg.Client(server.config);
    await locker.connect();
    await locker.query('BEGIN');
    await locker.query('LOCK TABLE "Note"');
    await leaveAmid('FROM "public"."Note"', () => prisma.note.findMany());
    await locker.end();
    assert.deepEqual(await prisma.note.findMany(), []);
  });

  it('rolls back an interactive transaction', async () => {
    await leaveAmid('/* tx */', () =>
      prisma.$transaction(async (tx) => {
        await tx.note.create({ data: { text: 'in vain' } });
        await tx.$executeRawUnsafe('SELECT pg_sleep(60) /* tx */');
      }),
    );
    assert.equal(await prisma.note.count(), 0);
  });

  it('rolls back a transaction that is given as a list', async () => {
    await leaveAmid('/* list */', () =>
      prisma.$transaction([
        prisma.note.create({ data: { text: 'in vain' } }),
        prisma.$executeRawUnsafe('SELECT pg_sleep(60) /* list */'),
      ]),
    );
    assert.equal(await prisma.note.count(), 0);
  });

  it('leaves the queue of the pool', async () => {
    const first = app.request(() => prisma.$executeRawUnsafe('SELECT pg_sleep(60) /* first */'));
    await activity.until('/* first */', 1);
    const second = app.request(() => prisma.note.findMany());
    while (pool.waitingCount === 0) await new Promise(setImmediate);
    second.leave();
    assert.equal((await second.ended).reason.code, 'CLIENT_CLOSED_REQUEST');
    assert.equal(pool.waitingCount, 0);
    first.leave();
    await first.ended;
  });

  it('leaves the queries of other requests alone', async () => {
    const others = Array.from({ length: 20 }, (_, n) =>
      app.request(() => prisma.note.create({ data: { text: `note ${n}` } })),
    );
    const leaving = Array.from({ length: 20 }, () => app.request(() => prisma.note.findMany()));
    for (const request of leaving) request.leave();
    for (const request of others) assert.equal((await request.ended).status, 'fulfilled');
    assert.equal(await prisma.note.count(), 20);
  });
});

describe('gatewayErrorHandler() and the errors of Prisma', { skip: missingPostgres() }, () => {
  let server;
  let ports;
  let close;
  let ask;
  const works = new Map();

  before(async () => {
    server = await startPostgres();
    const client = new pg.Client(server.config);
    await client.connect();
    await client.query(CREATE_NOTES);
    await client.end();
    ports = await openFaultyPorts();
    const app = express();
    app.use(hangup({ context: true }));
    app.get('/late/:id', deadline(200), (req) => works.get(req.params.id)());
    app.get('/:id', (req) => works.get(req.params.id)());
    app.use(gatewayErrorHandler());
    const http = await new Promise((resolve) => {
      const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
    });
    ask = async (path, work) => {
      works.set(path.split('/').at(-1), work);
      const response = await fetch(`http://127.0.0.1:${http.address().port}/${path}`);
      const { code } = await response.json();
      return `${response.status} ${code}`;
    };
    close = () => new Promise((resolve) => http.close(resolve).closeAllConnections());
  });
  after(async () => {
    await close?.();
    ports?.close();
    await server?.stop();
  });

  async function withPrisma(config, use) {
    const pool = new pg.Pool({ ...server.config, max: 1, connectionTimeoutMillis: 2000, ...config });
    pool.on('error', () => {});
    const prisma = prismaOver(abortable(pool));
    try {
      return await use(prisma, pool);
    } finally {
      await prisma.$disconnect();
      await pool.end();
    }
  }
  const kinds = {
    'a model': (prisma) => prisma.note.findMany(),
    'a raw query': (prisma) => prisma.$queryRawUnsafe('SELECT 1'),
    'a transaction': (prisma) => prisma.$transaction((tx) => tx.note.findMany()),
  };

  for (const [kind, work] of Object.entries(kinds)) {
    it(`${kind}: a server that is silent, resets, closes, is not there`, async () => {
      const answer = (config) => withPrisma(config, (prisma) => ask('faulty', () => work(prisma)));
      assert.equal(
        await answer({ port: ports.silent, connectionTimeoutMillis: 300 }),
        '504 UPSTREAM_TIMEOUT',
      );
      assert.equal(await answer({ port: ports.resetting }), '502 UPSTREAM_RESET');
      assert.equal(await answer({ port: ports.closing }), '502 UPSTREAM_RESET');
      assert.equal(await answer({ port: ports.nobody }), '502 UPSTREAM_UNREACHABLE');
    });
  }

  it('a statement timeout, a query timeout, a cancel by hand, a wrong statement', async () => {
    const answer = (config, text) =>
      withPrisma(config, (prisma) => ask('statement', () => prisma.$executeRawUnsafe(text)));
    assert.equal(await answer({ statement_timeout: 100 }, 'SELECT pg_sleep(5)'), '504 UPSTREAM_TIMEOUT');
    assert.equal(await answer({ query_timeout: 100 }, 'SELECT pg_sleep(0.5)'), '504 UPSTREAM_TIMEOUT');
    const cancel = 'SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)';
    assert.equal(await answer({}, cancel), '504 OPERATION_ABORTED');
    const wrong = await withPrisma({}, (prisma) => errorOf(() => prisma.$executeRawUnsafe('SELEC 1')));
    assert.equal(wrong.code, 'P2010');
    assert.equal(classifyError(wrong), undefined);
  });

  it('a pool that is full, for a query and for a transaction, and a transaction that takes too long', async () => {
    await withPrisma({ connectionTimeoutMillis: 300 }, async (prisma, pool) => {
      const holder = await pool.connect();
      assert.equal(await ask('full', () => prisma.note.findMany()), '504 UPSTREAM_TIMEOUT');
      const hurried = { maxWait: 100 };
      const work = () => prisma.$transaction((tx) => tx.note.findMany(), hurried);
      assert.equal(await ask('full-transaction', work), '504 UPSTREAM_TIMEOUT');
      holder.release();
    });
    await withPrisma({}, async (prisma) => {
      const slow = async (tx) => {
        await tx.$executeRawUnsafe('SELECT pg_sleep(0.5)');
        await tx.note.findMany();
      };
      const work = () => prisma.$transaction(slow, { timeout: 100 });
      assert.equal(await ask('slow-transaction', work), '504 UPSTREAM_TIMEOUT');
    });
  });

  it('a deadline that passes while the database runs the query', async () => {
    await withPrisma({}, async (prisma) => {
      const work = () => prisma.$executeRawUnsafe('SELECT pg_sleep(60)');
      assert.equal(await ask('late/query', work), '504 DEADLINE_EXCEEDED');
    });
  });

  it('a server that is stopped amid a query', async () => {
    const stopped = await startPostgres();
    const activity = await watchActivity(stopped.config).open();
    await withPrisma(stopped.config, async (prisma) => {
      const answer = ask('stopped', () => prisma.$executeRawUnsafe('SELECT pg_sleep(60) /* stopped */'));
      await activity.until('/* stopped */', 1);
      await activity.close();
      await stopped.end('SIGINT');
      assert.equal(await answer, '502 UPSTREAM_RESET');
    });
    await stopped.stop();
  });
});
