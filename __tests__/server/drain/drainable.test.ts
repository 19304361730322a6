import type { ServerResponse } from 'node:http';
import type { Request, Response } from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { collect } from '../../fixtures/events';
import { aborted, expressVersions, gate } from '../../fixtures/serve';
import { gated, LONG, NO_DELAY, served, until } from '../../fixtures/server-drain/served';

const [, express] = expressVersions[0];

describe('drainable(): the delay', () => {
  it('serves new connections and new requests on live ones, and tells each to close', async () => {
    const { handle, connect } = await served(gated().listener, LONG);
    const old = await connect();
    expect((await old.request('/').response()).headers['connection']).toBe('keep-alive');
    void handle.drain();
    const onOld = await old.request('/').response();
    const onNew = await (await connect()).request('/').response();
    expect([onOld, onNew].map(({ status, headers }) => [status, headers['connection']])).toEqual([
      [200, 'close'],
      [200, 'close'],
    ]);
    expect(await old.end()).toBe('fin');
  });

  it('leaves idle connections open', async () => {
    const { handle, connect, server } = await served(gated().listener, LONG);
    const [idle, other] = [await connect(), await connect()];
    await idle.request('/').response();
    void handle.drain();
    await other.request('/').response();
    await other.end();
    expect(server.listening).toBe(true);
    expect((await idle.request('/').response()).status).toBe(200);
  });

  it('ends with the listener closed and the idle connections too', async () => {
    const { handle, connect, server } = await served(gated().listener, { ...LONG, delay: 50 });
    const idle = await connect();
    await idle.request('/').response();
    const report = await handle.drain();
    expect(await idle.end()).toBe('fin');
    expect([server.listening, report.ms >= 50]).toEqual([false, true]);
  });
});

describe('drainable(): requests in flight', () => {
  it('are answered with Connection: close, and the connection closes right after', async () => {
    const { listener, begun, open } = gated();
    const { handle, connect, server } = await served(listener);
    const client = await connect();
    client.request('/slow');
    await begun;
    const draining = handle.drain();
    await until(() => !server.listening);
    open();
    expect(await client.response()).toMatchObject({
      status: 200,
      headers: { connection: 'close' },
      body: 'late',
    });
    expect(await client.end()).toBe('fin');
    expect(await draining).toMatchObject({ finished: 1, aborted: 0, forced: 0, gone: 0 });
  });

  const keepAlive: [string, (res: ServerResponse) => unknown][] = [
    [
      'setHeader()',
      (res) => res.setHeader('Connection', 'keep-alive').setHeader('Keep-Alive', 'timeout=9').end(),
    ],
    [
      'writeHead() and an object',
      (res) => res.writeHead(200, { connection: 'keep-alive', 'X-Own': '1' }).end(),
    ],
    ['writeHead() and a reason', (res) => res.writeHead(200, 'Fine', { connection: 'keep-alive' }).end()],
    [
      'writeHead() and an array',
      (res) => res.writeHead(200, ['Connection', 'keep-alive', 'X-Own', '1']).end(),
    ],
    [
      'writeHead() and pairs',
      (res) => res.writeHead(200, [['Connection', 'keep-alive']] as unknown as []).end(),
    ],
    ['both', (res) => res.setHeader('X-Own', '2').writeHead(200, ['Connection', 'keep-alive']).end()],
    ['flushHeaders()', (res) => (res.flushHeaders(), res.end())],
    ['write()', (res) => (res.write('a'), res.end())],
  ];

  it.each(keepAlive)('say Connection: close though the handler says keep-alive by %s', async (_, answer) => {
    const { listener, begun, open } = gated(answer);
    const { handle, connect, server } = await served(listener);
    const client = await connect();
    client.request('/slow');
    await begun;
    void handle.drain();
    await until(() => !server.listening);
    open();
    const { status, headers } = await client.response();
    expect([status, headers['connection'], headers['keep-alive']]).toEqual([200, 'close', undefined]);
  });

  it('that had sent their headers before end completely, and then their connection closes', async () => {
    const { listener, begun, open } = gated((res) => res.end('the rest'));
    const { handle, connect } = await served((req, res) => {
      res.write('begun, ');
      listener(req, res);
    });
    const client = await connect();
    client.request('/slow');
    await begun;
    await client.received('begun');
    const draining = handle.drain();
    open();
    const { body, complete, headers } = await client.response();
    expect([body, complete, headers['connection']]).toEqual(['begun, the rest', true, 'keep-alive']);
    expect(await client.end()).toBe('fin');
    await draining;
  });

  it('of a pipelining client are all answered, in their order, and only the last says close', async () => {
    const gates = ['/1', '/2', '/3'].map((url) => ({ url, ...gate() }));
    const arrived = gate();
    const { handle, connect, server } = await served((req, res) => {
      if (req.url === '/3') arrived.open();
      void gates.find(({ url }) => url === req.url)?.promise.then(() => res.end(req.url));
    });
    const client = await connect();
    client.request('/1').request('/2').request('/3');
    await arrived.promise;
    const draining = handle.drain();
    await until(() => !server.listening);
    for (const { open } of [...gates].reverse()) open();
    const responses = [await client.response(), await client.response(), await client.response()];
    expect(responses.map(({ body, headers }) => [body, headers['connection']])).toEqual([
      ['/1', 'keep-alive'],
      ['/2', 'keep-alive'],
      ['/3', 'close'],
    ]);
    expect(await draining).toMatchObject({ finished: 3 });
  });

  it('reach a slow reader to the last byte', async () => {
    const size = 20_000_000;
    const ended = gate();
    const { handle, connect } = await served((_req, res) => {
      res.end(Buffer.alloc(size, 'x'));
      ended.open();
    });
    const client = await connect();
    client.socket.pause();
    client.request('/');
    await ended.promise;
    const closing = collect('drain');
    const draining = handle.drain();
    await until(() => closing.all.some(({ phase }) => phase === 'closing'));
    await until(turns(50));
    client.socket.resume();
    const { body, complete } = await client.response();
    expect([complete, body.length]).toEqual([true, size]);
    expect(await draining).toMatchObject({ finished: 1 });
  });

  it('may still be uploading', async () => {
    const begun = gate();
    const { handle, connect, server } = await served((req, res) => {
      let size = 0;
      begun.open();
      req.on('data', (chunk: Buffer) => (size += chunk.length)).on('end', () => res.end(String(size)));
    });
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n').send('x'.repeat(100_000));
    await begun.promise;
    const draining = handle.drain();
    await until(() => !server.listening);
    client.send('x'.repeat(100_000));
    expect(await client.response()).toMatchObject({
      status: 200,
      body: '200000',
      headers: { connection: 'close' },
    });
    await draining;
  });

  it('whose client leaves do not hold the drain', async () => {
    const { listener, begun } = gated();
    const { handle, connect, server } = await served(listener);
    let requests = 0;
    server.on('request', () => requests++);
    const client = await connect();
    client.request('/slow').request('/slow');
    await begun;
    await until(() => requests === 2);
    const draining = handle.drain();
    client.leave('rst');
    expect(await draining).toMatchObject({ finished: 0, gone: 2 });
  });

  it('that were handed on from checkContinue are counted once', async () => {
    const { handle, connect, server } = await served(gated().listener);
    server.on('checkContinue', (req, res: ServerResponse) => {
      res.writeContinue();
      server.emit('request', req, res);
    });
    const client = await connect();
    await client.request('/', { body: 'hello', headers: 'Expect: 100-continue\r\n' }).received('at once');
    expect(await handle.drain()).toMatchObject({ finished: 0, ms: expect.any(Number) });
  });
});

describe('drainable(): connections', () => {
  it('on which a request has begun to arrive are not idle', async () => {
    const { handle, connect, server, sockets } = await served(gated().listener);
    const client = await connect();
    await client.request('/').response();
    const before = sockets[0]!.bytesRead;
    client.send('GET / HTTP/1.1\r\nHo');
    await until(() => sockets[0]!.bytesRead > before);
    const draining = handle.drain();
    await until(() => !server.listening);
    await until(turns(50));
    client.send('st: a\r\n\r\n');
    expect(await client.response()).toMatchObject({ status: 200, headers: { connection: 'close' } });
    expect(await draining).toMatchObject({ finished: 1 });
  });

  it('that have just been accepted are served', async () => {
    const { handle, connect, server, sockets } = await served(gated().listener);
    const client = await connect();
    await until(() => sockets.length === 1);
    const draining = handle.drain();
    await until(() => !server.listening);
    await until(turns(50));
    expect((await client.request('/').response()).headers['connection']).toBe('close');
    expect(await draining).toMatchObject({ finished: 1 });
  });

  it('that stay silent after they were accepted are closed after a second', async () => {
    const { handle, connect, sockets } = await served(gated().listener);
    const client = await connect();
    await until(() => sockets.length === 1);
    const report = await handle.drain();
    expect(await client.end()).toBe('fin');
    expect(report.ms).toBeLessThan(15_000);
  });

  it('are closed a few at a time, and the event loop goes on between', async () => {
    const { handle, sockets, connect } = await served(gated().listener);
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect()));
    await until(() => sockets.length === clients.length);
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    turn();
    const closedIn = sockets.map(
      (socket) =>
        new Promise((resolve) => {
          const destroy = socket.destroy.bind(socket);
          socket.destroy = function slowly(error) {
            resolve(turns);
            // Longer than a turn may be spent with closing.
            for (const since = performance.now(); performance.now() < since + 20;);
            return destroy(error);
          };
        }),
    );
    await handle.drain();
    isOver = true;
    expect(new Set(await Promise.all(closedIn)).size).toBe(clients.length);
  });

  it('whose request was answered before its body had arrived are idle once it has', async () => {
    const { handle, connect, sockets } = await served(gated().listener);
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    await client.response();
    const before = sockets[0]!.bytesRead;
    client.send('def');
    await until(() => sockets[0]!.bytesRead > before);
    await handle.drain();
    expect(await client.end()).toBe('fin');
  });

  it('that carry a half request are closed when the time is up', async () => {
    const { handle, connect, sockets } = await served(gated().listener, {
      delay: 0,
      timeout: 50,
      force: 60_000,
    });
    const client = await connect();
    client.send('GET / HTTP/1.1\r\nHo');
    await until(() => sockets[0] !== undefined && sockets[0].bytesRead > 0);
    expect(await handle.drain()).toMatchObject({ finished: 0, forced: 0 });
    expect(await client.end()).toBe('fin');
  });
});

describe.each(expressVersions)('drainable(): when the time is up, %s', (_, express) => {
  const SOON = { delay: 0, timeout: 50, force: 60_000 };

  it('signals abort with ServerDrainingError, and the app’s error handlers answer 503', async () => {
    const app = express();
    app.use(hangup());
    const seen = gate<any>();
    const begun = gate();
    app.get('/users/:id', (req, res, next) => {
      begun.open();
      void aborted(req.signal).then((reason) => {
        seen.open(reason);
        next(reason);
      });
    });
    app.use(gatewayErrorHandler());
    const { handle, connect } = await served(app, SOON);
    const client = await connect();
    client.request('/users/7');
    await begun.promise;
    const draining = handle.drain();
    expect(await seen.promise).toMatchObject({ name: 'AbortError', code: 'SERVER_DRAINING', status: 503 });
    const { status, headers, body } = await client.response();
    expect([status, headers['connection'], headers['retry-after']]).toEqual([503, 'close', '1']);
    expect(JSON.parse(body)).toMatchObject({ code: 'SERVER_DRAINING' });
    const counts = { finished: 0, aborted: 1, forced: 0, gone: 0 };
    expect(await draining).toMatchObject({ ...counts, byRoute: { 'GET /users/:id': counts } });
  });

  it('a handler that does not listen is answered for', async () => {
    const app = express();
    const begun = gate();
    app.use(hangup());
    app.get('/', () => begun.open());
    app.use(gatewayErrorHandler());
    const { handle, connect } = await served(app, SOON);
    const client = await connect();
    client.request('/');
    await begun.promise;
    void handle.drain();
    expect((await client.response()).status).toBe(503);
    expect(await client.end()).toBe('fin');
  });

  it('without hangup() a bare 503 is sent, and the handler’s late answer does no harm', async () => {
    const app = express();
    const begun = gate<Response>();
    app.get('/', (_req, res) => begun.open(res));
    const { handle, connect } = await served(app, SOON);
    const client = await connect();
    client.request('/');
    const res = await begun.promise;
    const draining = handle.drain();
    const { status, headers } = await client.response();
    expect([status, headers['connection']]).toEqual([503, 'close']);
    expect(() => res.status(200).json({ late: true })).not.toThrow();
    expect(await draining).toMatchObject({ aborted: 1, finished: 0 });
  });

  it('an answer that has begun may go on until it is forced', async () => {
    const app = express();
    app.use(hangup());
    const begun = gate<Response>();
    app.get('/download', (_req, res) => {
      res.write('begun, ');
      begun.open(res);
    });
    app.use(gatewayErrorHandler());
    const { handle, connect } = await served(app, SOON);
    const phases = collect('drain');
    const client = await connect();
    client.request('/download');
    const res = await begun.promise;
    const draining = handle.drain();
    await until(() => phases.all.some(({ phase }) => phase === 'aborting'));
    // Work that ends normally when its signal aborts would make a fragment look whole.
    expect(res.req.signal.aborted).toBe(false);
    res.end('whole');
    expect(await client.response()).toMatchObject({ status: 200, body: 'begun, whole', complete: true });
    expect(await draining).toMatchObject({ finished: 1, aborted: 0 });
  });

  it('a request that still arrives gets 503 at once', async () => {
    const app = express();
    app.use(hangup({ grace: 0 }));
    const begun = gate<Response>();
    app.get('/download', (_req, res) => {
      res.write('begun, ');
      begun.open(res);
    });
    const late = gate();
    app.get('/late', () => late.open());
    app.use(gatewayErrorHandler());
    const { handle, connect } = await served(app, SOON);
    const phases = collect('drain');
    const client = await connect();
    client.request('/download');
    const res = await begun.promise;
    const draining = handle.drain();
    await until(() => phases.all.some(({ phase }) => phase === 'aborting'));
    client.request('/late');
    await late.promise;
    res.end('whole');
    expect([(await client.response()).status, (await client.response()).status]).toEqual([200, 503]);
    expect(await draining).toMatchObject({ finished: 1, aborted: 1 });
  });
});

describe('drainable(): force', () => {
  it('destroys what is left, aborts its signal first, and reports it by route', async () => {
    const app = express();
    const reasons: unknown[] = [];
    const begun = gate();
    app.use(hangup());
    app.get('/stuck', (req: Request, res) => {
      res.write('begun');
      req.signal.addEventListener('abort', () => reasons.push(req.signal.reason.code));
      begun.open();
    });
    const { handle, connect } = await served(app, { delay: 0, timeout: 100, force: 100 });
    const client = await connect();
    client.request('/stuck');
    await begun.promise;
    const report = await handle.drain();
    expect((await client.response()).complete).toBe(false);
    expect(reasons).toEqual(['SERVER_DRAINING']);
    expect(report).toMatchObject({ forced: 1, byRoute: { 'GET /stuck': { forced: 1 } } });
  });

  it('cuts a response whose handler ends it when it hears its signal', async () => {
    const app = express();
    const begun = gate();
    app.use(hangup());
    app.get('/tokens', (req: Request, res) => {
      res.write('half of it');
      req.signal.addEventListener('abort', () => res.end());
      begun.open();
    });
    const { handle, connect } = await served(app, { delay: 0, timeout: 50, force: 100 });
    const client = await connect();
    client.request('/tokens');
    await begun.promise;
    expect(await handle.drain()).toMatchObject({ forced: 1 });
    expect(await client.response()).toMatchObject({ body: 'half of it', complete: false });
  });

  it('resets a connection whose end would pass for the end of the body', async () => {
    const begun = gate();
    const { handle, connect } = await served(
      (_req, res) => {
        res.write('half');
        begun.open();
      },
      { delay: 0, timeout: 20, force: 20 },
    );
    const client = await connect();
    // Without chunks and length; nginx by default asks upstreams so.
    client.send('GET / HTTP/1.0\r\n\r\n');
    await begun.promise;
    const draining = handle.drain();
    expect(await client.end()).toBe('ECONNRESET');
    expect(await draining).toMatchObject({ forced: 1 });
  });
});

describe('drainable(): the report', () => {
  it('names every route with its counts', async () => {
    const app = express();
    const release = gate();
    const arrived: string[] = [];
    const slow = (req: Request, res: Response): void => {
      arrived.push(req.path);
      void release.promise.then(() => res.end());
    };
    app.get('/a/:id', slow);
    app.post('/b', slow);
    app.use(slow);
    const { handle, connect } = await served(app);
    const clients = await Promise.all([connect(), connect(), connect(), connect()]);
    clients[0].request('/a/1');
    clients[1].request('/a/2');
    clients[2].request('/b', { body: '{}' });
    clients[3].request('/c?secret=1');
    await until(() => arrived.length === 4);
    const draining = handle.drain();
    release.open();
    const none = { finished: 0, aborted: 0, forced: 0, gone: 0 };
    expect(await draining).toEqual({
      ...none,
      finished: 4,
      byRoute: {
        'GET /a/:id': { ...none, finished: 2 },
        'POST /b': { ...none, finished: 1 },
        'GET (no route)': { ...none, finished: 1 },
      },
      ms: expect.any(Number),
    });
  });

  it('is also told phase by phase on the drain channel', async () => {
    const events = collect('drain');
    const { listener, begun, open } = gated();
    const { handle, connect } = await served(listener, { delay: 30, timeout: 40_000, force: 60_000 });
    const client = await connect();
    client.request('/slow');
    await begun;
    const draining = handle.drain();
    await until(() => events.all.length === 2);
    open();
    await draining;
    expect(events.all.map(({ phase, inFlight }) => [phase, inFlight])).toEqual([
      ['delay', 1],
      ['closing', 1],
      ['done', 0],
    ]);
    expect(events.all.every(({ ms }, index) => ms >= (events.all[index - 1]?.ms ?? 0))).toBe(true);
  });
});

describe('drainable(): readiness', () => {
  it('answers 200, and 503 from the signal on, on a bare server', async () => {
    const { handle, connect } = await served((req, res) => handle.readiness(req, res), LONG);
    const client = await connect();
    const before = await client.request('/').response();
    expect([before.status, before.body, before.headers['cache-control']]).toEqual([
      200,
      'ready\n',
      'no-store',
    ]);
    expect(handle.draining).toBe(false);
    void handle.drain();
    const after = await client.request('/').response();
    expect([after.status, after.body, after.headers['retry-after'], after.headers['connection']]).toEqual([
      503,
      'draining\n',
      '1',
      'close',
    ]);
    expect(handle.draining).toBe(true);
  });

  it.each(expressVersions)('is a handler for %s', async (_, express) => {
    const app = express();
    app.use(hangup());
    app.get('/ready', (req, res) => handle.readiness(req, res));
    const { handle, connect } = await served(app, LONG);
    const client = await connect();
    expect((await client.request('/ready').response()).status).toBe(200);
    void handle.drain();
    expect((await client.request('/ready', { method: 'HEAD' }).received('503')) ?? 503).toBe(503);
  });

  it.each([
    ['false', () => false, 503],
    ['a promise of false', async () => false, 503],
    ['true', () => true, 200],
    ['nothing', () => undefined, 200],
  ])('is for the app to say: %s', async (_, ready, status) => {
    const { handle, connect } = await served((req, res) => handle.readiness(req, res), { ...LONG, ready });
    expect((await (await connect()).request('/').response()).status).toBe(status);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no database');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no database'))],
  ])('is 503 when the app’s check %s, with one warning', async (_, ready) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation();
    const { handle, connect } = await served((req, res) => handle.readiness(req, res), { ...LONG, ready });
    const client = await connect();
    const statuses = [
      (await client.request('/').response()).status,
      (await client.request('/').response()).status,
    ];
    expect(statuses).toEqual([503, 503]);
    expect(warn.mock.calls).toEqual([
      [
        'drainable(): option "ready" has thrown',
        { type: 'HangupWarning', detail: expect.stringContaining('no database') },
      ],
    ]);
    warn.mockRestore();
  });
});

describe('drainable(): hooks', () => {
  it('onDrained gets the report', async () => {
    const drained = gate<unknown>();
    const { handle } = await served(gated().listener, {
      ...NO_DELAY,
      onDrained: (report) => drained.open(report),
    });
    expect(await handle.drain()).toEqual(await drained.promise);
  });

  it.each(['onClosing', 'onDrained'])('a throwing %s is a warning, and the drain goes on', async (name) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation();
    const hook = (): never => {
      throw new Error('a bug');
    };
    const { handle } = await served(gated().listener, { ...NO_DELAY, [name]: hook });
    await handle.drain();
    await until(() => warn.mock.calls.length > 0);
    expect(warn.mock.calls[0]![0]).toBe(`drainable(): option "${name}" has thrown`);
    warn.mockRestore();
  });
});

function turns(count: number): () => boolean {
  return () => count-- <= 0;
}
