import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import { collect } from '../fixtures/events';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, gate, serve } from '../fixtures/serve';

type Late = (res: Response, next: NextFunction, req: Request) => unknown;

/** Every way to write that the contract names. */
const WAYS: [string, Late][] = [
  ['json', (res) => res.status(200).json({ late: true })],
  ['send', (res) => res.send('late')],
  ['end', (res) => res.end('late')],
  ['write', (res) => res.write('late')],
  ['setHeader', (res) => res.setHeader('X-Late', '1')],
  ['set', (res) => res.set('X-Late', '1')],
  ['append', (res) => res.append('X-Late', '1')],
  ['cookie', (res) => res.cookie('late', '1')],
  ['writeHead', (res) => res.writeHead(200, { 'X-Late': '1' })],
  ['redirect', (res) => res.redirect('/late')],
  ['sendStatus', (res) => res.sendStatus(200)],
  ['sendFile', (res) => res.sendFile(__filename)],
  ['download', (res) => res.download(__filename)],
  ['jsonp', (res) => res.jsonp({ late: true })],
  ['render', (res) => res.render('late')],
  ['flushHeaders', (res) => res.flushHeaders()],
  ['addTrailers', (res) => res.addTrailers({ late: '1' })],
  ['a pipe', (res) => createReadStream(__filename).pipe(res)],
];

describe.each(expressVersions)('a handler that is late on %s', (_name, express) => {
  /** An app whose `/late` answers too late, in the given way, and whose `/next` says that the connection is unharmed. */
  async function lateApp(late: Late): Promise<{ port: number; answer: () => void; settle: () => void }> {
    const go = gate();
    const finish = gate();
    const app = express();
    app.set('env', 'test');
    app.engine('html', (_path, _options, done) => done(null, '<p>late</p>'));
    app.set('view engine', 'html');
    app.set('views', `${__dirname}/../fixtures/views`);
    app.use(hangup({ grace: 0 }));
    app.get('/late', deadline(120), (req, res, next) => {
      void go.promise.then(() => late(res, next, req));
    });
    app.get('/next', (_req, res) => {
      void finish.promise.then(() => res.send('unharmed'));
    });
    app.use(gatewayErrorHandler());
    return { ...(await serve(app)), answer: go.open, settle: finish.open };
  }

  it.each(WAYS)('discards and reports %s, and the connection goes on', async (way, late) => {
    const reports = collect('late-response');
    const { port, answer, settle } = await lateApp(late);
    const client = (await RawClient.connect(port)).request('/late');
    expect(await client.response()).toMatchObject({ status: 504, complete: true });
    client.request('/next');
    await new Promise(setImmediate);
    answer();
    const report = await reports.next();
    expect(report).toMatchObject({ method: 'GET', route: '/late' });
    expect(report.lateMs).toBeGreaterThanOrEqual(0);
    expect(report.stack).toContain(way === 'a pipe' || way === 'render' ? 'at ' : 'late-response.test');
    settle();
    const response = await client.response();
    expect(response).toMatchObject({ status: 200, body: 'unharmed' });
    expect(JSON.stringify(response.headers)).not.toContain('late');
    client.leave('fin');
    expect(reports.all).toHaveLength(1);
  });

  it.each([
    ['next(err)', (_res, next) => next(new Error('late'))],
    ['req.destroy()', (_res, _next, req) => req.destroy()],
    ['req.socket.destroy()', (_res, _next, req) => req.socket.destroy()],
    ['res.destroy()', (res) => res.destroy()],
    // Node 24 and later do not even begin: nothing is called on the response, so there is nothing to report.
    ['pipeline()', (res) => pipeline(Readable.from(['late']), res).catch(() => undefined)],
  ] as [string, Late][])('swallows a late %s, and the connection goes on', async (_way, late) => {
    const { port, answer, settle } = await lateApp(late);
    const client = (await RawClient.connect(port)).request('/late');
    expect((await client.response()).status).toBe(504);
    client.request('/next');
    await new Promise(setImmediate);
    answer();
    await new Promise((resolve) => setTimeout(resolve, 20));
    settle();
    expect((await client.response()).body).toBe('unharmed');
    client.leave('fin');
  });

  it('reports once however often the handler calls', async () => {
    const reports = collect('late-response');
    const done = gate();
    const { port, answer } = await lateApp((res) => {
      res.setHeader('a', '1');
      res.write('x', () => res.end(() => done.open()));
    });
    const client = (await RawClient.connect(port)).request('/late');
    await client.response();
    answer();
    await done.promise;
    expect(reports.all.map(({ call }) => call)).toEqual(['setHeader']);
    client.leave('fin');
  });

  it('tells a careful handler that the headers are out', async () => {
    const reports = collect('late-response');
    const seen = gate<boolean>();
    const { port, answer } = await lateApp((res) => seen.open(res.headersSent));
    const client = (await RawClient.connect(port)).request('/late');
    await client.response();
    answer();
    expect(await seen.promise).toBe(true);
    expect(reports.all).toEqual([]);
    client.leave('fin');
  });

  it('reports no stack in production', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      const reports = collect('late-response');
      const { port, answer } = await lateApp((res) => res.json(1));
      const client = (await RawClient.connect(port)).request('/late');
      await client.response();
      answer();
      expect((await reports.next()).stack).toBeUndefined();
      client.leave('fin');
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });

  it('keeps a second failure of the same request from the connection', async () => {
    const go = gate();
    const finish = gate();
    const app = express();
    app.set('env', 'test');
    app.use(hangup());
    app.get('/twice', (_req, res, next) => {
      next(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }));
      void go.promise.then(() => {
        try {
          res.json('late');
        } catch (error) {
          next(error);
        }
      });
    });
    app.get('/next', (_req, res) => void finish.promise.then(() => res.send('unharmed')));
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/twice');
    expect((await client.response()).status).toBe(502);
    client.request('/next');
    await new Promise(setImmediate);
    go.open();
    await new Promise(setImmediate);
    finish.open();
    expect((await client.response()).body).toBe('unharmed');
    client.leave('fin');
  });

  it('discards what comes after an error handler that answers asynchronously', async () => {
    const reports = collect('late-response');
    const go = gate();
    const app = express();
    app.use(hangup({ deadline: 20, grace: 0 }));
    app.get('/', (_req, res) => void go.promise.then(() => res.json('late')));
    app.use(((error: { status: number }, _req, res, _next) => {
      setTimeout(() => res.status(error.status).send('rendered'), 20);
    }) as ErrorRequestHandler);
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    expect(await client.response()).toMatchObject({ status: 504, body: 'rendered' });
    go.open();
    expect(await reports.next()).toMatchObject({ call: 'json' });
    client.leave('fin');
  });
});

it('survives a late throw in an async handler of Express 5', async () => {
  const [, express] = expressVersions[0];
  const go = gate();
  const finish = gate();
  const app = express();
  app.set('env', 'test');
  app.use(hangup({ grace: 0 }));
  app.get('/late', deadline(120), async () => {
    await go.promise;
    throw new Error('late');
  });
  app.get('/next', async (_req, res) => {
    await finish.promise;
    res.send('unharmed');
  });
  app.use(gatewayErrorHandler());
  const { port } = await serve(app);
  const client = (await RawClient.connect(port)).request('/late');
  expect((await client.response()).status).toBe(504);
  client.request('/next');
  await new Promise(setImmediate);
  go.open();
  await new Promise(setImmediate);
  finish.open();
  expect((await client.response()).body).toBe('unharmed');
  client.leave('fin');
});
