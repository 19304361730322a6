import { Readable } from 'node:stream';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import { collect } from '../fixtures/events';
import { RawClient } from '../fixtures/raw-client';
import { aborted, expressVersions, gate, serve } from '../fixtures/serve';

describe.each(expressVersions)('what counts as an answer on %s', (_version, express) => {
  async function answerOf(
    handler: RequestHandler,
    options: Parameters<typeof hangup>[0] = { deadline: 40, grace: 0 },
    guard?: RequestHandler,
    onError: ErrorRequestHandler = gatewayErrorHandler(),
  ): Promise<{ status: number; body: string; complete: boolean }> {
    const app = express();
    app.set('env', 'test');
    app.use(hangup(options));
    app.get('/', ...(guard ? [guard] : []), handler);
    app.get('/next', deadline(false), (_req, res) => void res.send('next'));
    app.use(onError);
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    const { status, body, complete } = await client.response();
    if (complete) {
      client.request('/next');
      expect((await client.response()).body).toBe('next');
    }
    client.leave('fin');
    return { status, body, complete };
  }

  it('is no head that Node holds back: the deadline is a 504', async () => {
    const answer = await answerOf((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/plain' });
      new Readable({ read: () => undefined }).pipe(res);
    });
    expect(answer).toMatchObject({ status: 504, complete: true });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('is no head of a response without a body that Node holds back', async () => {
    const answer = await answerOf((_req, res) => void res.writeHead(204));
    expect(answer).toMatchObject({ status: 504, complete: true });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('is a head that was flushed in time', async () => {
    const answer = await answerOf((_req, res) => {
      res.flushHeaders();
      setTimeout(() => res.end('later'), 90);
    });
    expect(answer).toEqual({ status: 200, body: 'later', complete: true });
  });

  it.each([
    ['json', (res: any) => res.json({ half: true })],
    ['write', (res: any) => res.write('half')],
    ['writeHead', (res: any) => res.writeHead(200)],
    ['flushHeaders', (res: any) => res.flushHeaders()],
    ['a redirect', (res: any) => res.redirect('/elsewhere')],
  ])('is no success by %s within the grace', async (_way, say) => {
    const answer = await answerOf(
      (req, res) => {
        req.signal.addEventListener('abort', () => say(res));
      },
      { deadline: 30, grace: 10_000 },
    );
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([504, 'DEADLINE_EXCEEDED']);
  });

  it('is no success through a Proxy that the app has put around the response', async () => {
    const answer = await answerOf(
      (req, res) => {
        const seen = new Proxy(res, {});
        req.signal.addEventListener('abort', () => seen.json({ half: true }));
      },
      { deadline: 30, grace: 10_000 },
    );
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([504, 'DEADLINE_EXCEEDED']);
  });

  it('is a failure of its own within the grace', async () => {
    const answer = await answerOf(
      (req, res) => {
        req.signal.addEventListener('abort', () => res.status(503).json({ own: true }));
      },
      { deadline: 30, grace: 10_000 },
    );
    expect(answer).toEqual({ status: 503, body: '{"own":true}', complete: true });
  });

  it.each([
    ['hangup()', { deadline: 30, grace: 10_000, fallback: true }, undefined],
    ['deadline()', { grace: 10_000 }, deadline(30, { fallback: true })],
  ])('is a success within the grace with the fallback of %s', async (_where, options, guard) => {
    const answer = await answerOf(
      (req, res) => {
        req.signal.addEventListener('abort', () => res.json({ cached: true }));
      },
      options,
      guard,
    );
    expect(answer).toEqual({ status: 200, body: '{"cached":true}', complete: true });
  });

  it('is cut in the moment of the abort, so that an end() on the signal makes nothing look whole', async () => {
    const answer = await answerOf(
      (req, res) => {
        res.write('half');
        req.signal.addEventListener('abort', () => res.end());
      },
      { grace: 10_000 },
      deadline(60, { until: 'finish' }),
    );
    expect(answer).toEqual({ status: 200, body: 'half', complete: false });
  });

  it('is an event stream that ends cleanly on its signal', async () => {
    const answer = await answerOf(
      (req, res) => {
        res.type('text/event-stream').write('data: 1\n\n');
        req.signal.addEventListener('abort', () => res.end('event: end\n\n'));
      },
      { grace: 10_000 },
      deadline(60, { until: 'finish' }),
    );
    expect(answer).toEqual({ status: 200, body: 'data: 1\n\nevent: end\n\n', complete: true });
  });

  it('is no event stream that does not end within the grace', async () => {
    const answer = await answerOf(
      (_req, res) => void res.type('text/event-stream').write('data: 1\n\n'),
      { grace: 20 },
      deadline(60, { until: 'finish' }),
    );
    expect(answer).toEqual({ status: 200, body: 'data: 1\n\n', complete: false });
  });

  it('is watched for stalls also where it began within the grace', async () => {
    const answer = await answerOf(
      (req, res) => {
        req.signal.addEventListener('abort', () => res.status(503).write('half'));
      },
      { deadline: 30, grace: 5000, stall: 60 },
    );
    expect(answer).toEqual({ status: 503, body: 'half', complete: false });
  });

  it("is the renderer's, not what the handler says while it renders", async () => {
    const rendering = gate();
    const answer = await answerOf(
      (req, res) => {
        void rendering.promise.then(() => res.json({ late: true }));
        void aborted(req.signal);
      },
      { deadline: 30, grace: 0 },
      undefined,
      gatewayErrorHandler({
        render: async (fault, _req, res) => {
          rendering.open();
          await new Promise(setImmediate);
          await new Promise(setImmediate);
          res.type('text').send(fault.title);
        },
      }),
    );
    expect(answer).toEqual({ status: 504, body: 'Gateway Timeout', complete: true });
  });

  it('does not keep what tells a front end of the failed body', async () => {
    const app = express();
    app.use(hangup());
    app.get('/', (_req, res, next) => {
      res.set({
        'X-Accel-Redirect': '/secret',
        'X-Sendfile': '/secret',
        'Cloudflare-CDN-Cache-Control': 'max-age=9',
        'CDN-Cache-Control': 'max-age=9',
        'X-Kept': 'yes',
      });
      next(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    const { status, headers } = await client.response();
    client.leave('fin');
    const names = Object.keys(headers).filter((name) => /accel|sendfile|cache-control|kept/.test(name));
    expect([status, names.sort(), headers['cache-control']]).toEqual([
      502,
      ['cache-control', 'x-kept'],
      'no-store',
    ]);
  });
});

describe.each(expressVersions)('a client that has left on %s', (_version, express) => {
  it('leaves the status 499, also where the handler answers later', async () => {
    const settled = collect('settle');
    const app = express();
    app.use(hangup());
    const [arrived, answered] = [gate(), gate<number>()];
    app.get('/', (req, res) => {
      arrived.open();
      void aborted(req.signal).then(() => {
        res.status(200).json({ late: true });
        answered.open(res.statusCode);
      });
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    await arrived.promise;
    client.leave('rst');
    expect(await answered.promise).toBe(499);
    expect(await settled.next()).toMatchObject({ status: 499, outcome: 'CLIENT_CLOSED_REQUEST' });
  });

  it('within the grace settles as 499', async () => {
    const settled = collect('settle');
    const app = express();
    app.use(hangup({ deadline: 30, grace: 10_000 }));
    const over = gate();
    app.get('/', (req) => void aborted(req.signal).then(over.open));
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    await over.promise;
    client.leave('rst');
    expect(await settled.next()).toMatchObject({ status: 499, outcome: 'DEADLINE_EXCEEDED' });
  });
});
