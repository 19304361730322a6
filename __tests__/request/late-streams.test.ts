import { compose, finished, pipeline, Readable, Writable } from 'node:stream';
import { pipeline as pipelinePromise } from 'node:stream/promises';
import type { Response } from 'express';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import { collect } from '../fixtures/events';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, gate, serve } from '../fixtures/serve';

/** Ways to stream to a response that is over. Each is told when the handler would go on. */
const WAYS: [string, (res: Response, done: () => void) => unknown][] = [
  ['pipeline() with a callback', (res, done) => pipeline(Readable.from(['late']), res, done)],
  ['pipeline() as a promise', (res, done) => pipelinePromise(Readable.from(['late']), res).then(done, done)],
  ['finished()', (res, done) => finished(res, done)],
  ['Readable.pipe()', (res, done) => Readable.from(['late']).on('end', done).pipe(res)],
  [
    'compose()',
    (res, done) => {
      // Where Node refuses, it does so in the call, and everywhere alike.
      try {
        (compose as (...streams: unknown[]) => NodeJS.ReadWriteStream)(Readable.from(['late']), res).on(
          'error',
          done,
        );
      } catch {
        // nothing
      }
      done();
    },
  ],
  [
    'a web stream to Writable.toWeb()',
    (res, done) => {
      const web = Readable.toWeb(Readable.from([Buffer.from('late')]));
      void web.pipeTo(Writable.toWeb(res)).then(done);
    },
  ],
  ["res.on('drain')", (res, done) => void (res.on('drain', () => undefined), done())],
];

describe.each(expressVersions)('a handler that streams too late on %s', (_version, express) => {
  async function lateApp(
    late: (res: Response) => unknown,
  ): Promise<{ port: number; go: () => void; left: Promise<void>; arrived: Promise<void> }> {
    const [start, left, arrived] = [gate(), gate(), gate()];
    const app = express();
    app.set('env', 'test');
    app.use(hangup({ grace: 0 }));
    app.get('/late', deadline(120), (_req, res) => {
      // In a callback: what throws here ends the process.
      void start.promise.then(() => setImmediate(() => late(res)));
    });
    app.get('/leaves', (_req, res) => {
      arrived.open();
      res.on('close', () => {
        setImmediate(() => {
          late(res);
          left.open();
        });
      });
    });
    app.get('/next', (_req, res) => void res.send('unharmed'));
    app.use(gatewayErrorHandler());
    return {
      ...(await serve(app)),
      go: start.open,
      left: left.promise,
      arrived: arrived.promise,
    };
  }

  it.each(WAYS)('does no harm after the 504 by %s', async (_way, stream) => {
    const done = gate();
    const { port, go } = await lateApp((res) => stream(res, done.open));
    const client = (await RawClient.connect(port)).request('/late');
    expect(await client.response()).toMatchObject({ status: 504, complete: true });
    go();
    await done.promise;
    client.request('/next');
    expect((await client.response()).body).toBe('unharmed');
    client.leave('fin');
  });

  it.each(WAYS)('does no harm after the client has left by %s', async (_way, stream) => {
    const done = gate();
    const { port, left, arrived } = await lateApp((res) => stream(res, done.open));
    const client = (await RawClient.connect(port)).request('/leaves');
    await arrived;
    client.leave('rst');
    await left;
    const next = (await RawClient.connect(port)).request('/next');
    expect((await next.response()).body).toBe('unharmed');
    next.leave('fin');
  });

  it('is told the truth when it asks whether the response is over', async () => {
    const asked = gate<unknown>();
    const { port, go } = await lateApp((res) => {
      asked.open([res.destroyed, res.closed, res.writableEnded, res.headersSent]);
    });
    const settled = collect('settle');
    const client = (await RawClient.connect(port)).request('/late');
    expect((await client.response()).status).toBe(504);
    await settled.next();
    go();
    client.leave('fin');
    expect(await asked.promise).toEqual([true, true, true, true]);
  });
});
