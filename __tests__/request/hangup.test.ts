import { once } from 'node:events';
import http from 'node:http';
import type { Request, Response } from 'express';
import { hangup, gatewayErrorHandler } from 'express-hangup';
import { newestOn } from '../../src/request/lifetime/connection';
import { collect } from '../fixtures/events';
import { RawClient } from '../fixtures/raw-client';
import { aborted, expressVersions, gate, serve } from '../fixtures/serve';

describe.each(expressVersions)('hangup() on %s', (_name, express) => {
  /** An app whose one route gives its request to the test and lets the test answer. */
  async function waitingApp(options: Parameters<typeof hangup>[0] = {}): Promise<{
    port: number;
    server: http.Server;
    arrival: Promise<{ req: Request; res: Response }>;
  }> {
    const arrived = gate<{ req: Request; res: Response }>();
    const app = express();
    app.set('env', 'test');
    app.use(hangup(options));
    app.use(express.json());
    app.all('/wait', (req, res) => arrived.open({ req, res }));
    app.use(gatewayErrorHandler());
    return { ...(await serve(app)), arrival: arrived.promise };
  }

  it('does not abort a POST whose body has been read', async () => {
    const { port, arrival } = await waitingApp();
    const client = (await RawClient.connect(port)).request('/wait', { body: '{"a":1}' });
    const { req, res } = await arrival;
    const { signal } = req;
    if (!req.closed) await once(req, 'close');
    await new Promise(setImmediate);
    expect(signal.aborted).toBe(false);
    res.json(req.body);
    expect((await client.response()).body).toBe('{"a":1}');
    if (!res.closed) await once(res, 'close');
    expect(signal.aborted).toBe(false);
    client.leave('fin');
  });

  describe.each(['fin', 'rst'] as const)('when the client leaves by %s', (how) => {
    it.each([
      ['a GET', undefined],
      ['a POST that has been read', '{"a":1}'],
    ])('aborts %s while the handler waits', async (_what, body) => {
      const { port, arrival } = await waitingApp();
      const client = (await RawClient.connect(port)).request('/wait', body === undefined ? {} : { body });
      const { req } = await arrival;
      client.leave(how);
      const reason = await aborted(req.signal);
      expect(reason).toMatchObject({ name: 'AbortError', code: 'CLIENT_CLOSED_REQUEST', status: 499 });
    });

    it('aborts while the response streams', async () => {
      const { port, arrival } = await waitingApp();
      const client = (await RawClient.connect(port)).request('/wait', { body: '{}' });
      const { req, res } = await arrival;
      res.write('first');
      await client.received('first');
      client.leave(how);
      expect(await aborted(req.signal)).toMatchObject({ code: 'CLIENT_CLOSED_REQUEST' });
    });

    it('aborts amid the upload, before the body parser complains', async () => {
      const seen = gate<{ error: any; reason: any; status: number }>();
      const app = express();
      app.use(hangup());
      app.use(express.json());
      app.use(((error, req, res, _next) => {
        seen.open({ error, reason: req.signal.reason, status: res.statusCode });
      }) as import('express').ErrorRequestHandler);
      const { port } = await serve(app);
      const client = await RawClient.connect(port);
      client.send(
        'POST / HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"a":',
      );
      await new Promise(setImmediate);
      await new Promise((resolve) => client.socket.write('1', resolve));
      setTimeout(() => client.leave(how), 20);
      const { error, reason } = await seen.promise;
      expect(error).toMatchObject({ type: 'request.aborted' });
      expect(reason).toMatchObject({ code: 'CLIENT_CLOSED_REQUEST' });
    });

    it('aborts every pipelined request', async () => {
      const requests: Request[] = [];
      const all = gate();
      const app = express();
      app.use(hangup());
      app.use((req, _res) => {
        if (requests.push(req) === 3) all.open();
      });
      const { port } = await serve(app);
      const client = await RawClient.connect(port);
      client.request('/1').request('/2').request('/3');
      await all.promise;
      const signals = requests.map((req) => req.signal);
      client.leave(how);
      const reasons = await Promise.all(signals.map(aborted));
      expect(reasons.map(({ code }) => code)).toEqual(Array(3).fill('CLIENT_CLOSED_REQUEST'));
    });

    it('aborts a request whose small body nobody reads', async () => {
      const arrived = gate<Request>();
      const app = express();
      app.use(hangup());
      app.use((req) => arrived.open(req));
      const { port } = await serve(app);
      const client = (await RawClient.connect(port)).request('/', { body: '{"a":1}' });
      const { signal } = await arrived.promise;
      client.leave(how);
      expect(await aborted(signal)).toMatchObject({ code: 'CLIENT_CLOSED_REQUEST' });
    });
  });

  it('aborts within a few milliseconds of the departure', async () => {
    const { port, arrival } = await waitingApp();
    const client = (await RawClient.connect(port)).request('/wait');
    const { req } = await arrival;
    const gone = once(client.socket, 'close');
    client.leave('fin');
    await gone;
    const left = performance.now();
    await aborted(req.signal);
    expect(performance.now() - left).toBeLessThan(250);
  });

  it('aborts for a half-closed client, which a default server does not answer', async () => {
    const { port, arrival } = await waitingApp();
    const client = (await RawClient.connect(port)).request('/wait');
    const { req } = await arrival;
    client.leave('half-close');
    expect(await aborted(req.signal)).toMatchObject({ code: 'CLIENT_CLOSED_REQUEST' });
    await client.end();
  });

  it('leaves a half-closed client alone where the server has httpAllowHalfOpen', async () => {
    const { port, server, arrival } = await waitingApp();
    (server as unknown as { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
    const client = (await RawClient.connect(port)).request('/wait', { body: '{}' });
    const { req, res } = await arrival;
    const { signal } = req;
    client.leave('half-close');
    await once(req.socket, 'end');
    await new Promise(setImmediate);
    expect(signal.aborted).toBe(false);
    res.send('still here');
    expect((await client.response()).body).toBe('still here');
    expect(signal.aborted).toBe(false);
    await client.end();
  });

  it('blames a destroyed response on this side', async () => {
    const { port, arrival } = await waitingApp();
    const client = (await RawClient.connect(port)).request('/wait');
    const { req, res } = await arrival;
    const { signal } = req;
    res.destroy();
    expect(await aborted(signal)).toMatchObject({ name: 'AbortError', code: 'RESPONSE_DESTROYED' });
    await client.end();
  });

  it('blames a response that is destroyed with an upstream reset on this side', async () => {
    const { port, arrival } = await waitingApp();
    const client = (await RawClient.connect(port)).request('/wait');
    const { req, res } = await arrival;
    const { signal } = req;
    res.on('error', () => undefined);
    res.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    expect(await aborted(signal)).toMatchObject({ code: 'RESPONSE_DESTROYED' });
    await client.end();
  });

  it('blames an upload that is destroyed with an error on this side', async () => {
    const arrived = gate<Request>();
    const app = express();
    app.use(hangup());
    app.use((req) => arrived.open(req));
    const { port } = await serve(app);
    const client = await RawClient.connect(port);
    client.send('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf');
    const req = await arrived.promise;
    const { signal } = req;
    req.on('error', () => undefined);
    req.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    expect(await aborted(signal)).toMatchObject({ code: 'RESPONSE_DESTROYED' });
    await client.end();
  });

  it.each(['closeAllConnections', 'server.timeout'])('blames %s on this side', async (what) => {
    const { port, server, arrival } = await waitingApp();
    if (what === 'server.timeout') server.timeout = 50;
    const client = (await RawClient.connect(port)).request('/wait');
    const { req } = await arrival;
    const { signal } = req;
    if (what === 'closeAllConnections') server.closeAllConnections();
    expect(await aborted(signal)).toMatchObject({ code: 'RESPONSE_DESTROYED' });
    await client.end();
  });

  it('tells a signal that is read after the abort the reason', async () => {
    const aborts = collect('abort');
    const { port, arrival } = await waitingApp();
    const client = (await RawClient.connect(port)).request('/wait');
    const { req } = await arrival;
    client.leave('fin');
    await aborts.next();
    expect(req.signal.aborted).toBe(true);
    expect(req.signal.reason).toMatchObject({ code: 'CLIENT_CLOSED_REQUEST' });
  });

  it('does not abort a signal that is read after the end, nor later', async () => {
    const settled = collect('settle');
    const { port, arrival } = await waitingApp();
    const client = (await RawClient.connect(port)).request('/wait');
    const { req, res } = await arrival;
    res.send('done');
    await client.response();
    await settled.next();
    const { signal } = req;
    client.leave('fin');
    await once(req.socket, 'close');
    expect(signal.aborted).toBe(false);
  });

  it('finds the client gone that left before the middleware ran', async () => {
    const arrived = gate<Request>();
    const mounted = gate<Request>();
    const app = express();
    app.use((req, _res, next) => {
      arrived.open(req);
      req.socket.once('close', () => setImmediate(() => next()));
    });
    app.use(hangup());
    app.use((req) => mounted.open(req));
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    await arrived.promise;
    client.leave('fin');
    const { signal } = await mounted.promise;
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ code: 'CLIENT_CLOSED_REQUEST' });
  });

  it('does not abort a handler that has ended its response when the client leaves amid the flush', async () => {
    const settled = collect('settle');
    const { port, arrival } = await waitingApp();
    const client = (await RawClient.connect(port)).request('/wait');
    client.socket.pause();
    const { req, res } = await arrival;
    const { signal } = req;
    res.end(Buffer.alloc(20_000_000));
    client.leave('rst');
    expect(await settled.next()).toMatchObject({ outcome: 'CLIENT_CLOSED_REQUEST', status: 499 });
    expect(signal.aborted).toBe(false);
  });

  it('counts a response on a connection that closes with it as finished', async () => {
    const settled = collect('settle');
    const { port, arrival } = await waitingApp();
    const client = (await RawClient.connect(port)).request('/wait', { headers: 'Connection: close\r\n' });
    const { res } = await arrival;
    res.send('done');
    expect(await settled.next()).toMatchObject({ outcome: 'finished', status: 200 });
    await client.end();
  });

  it('makes no AbortController for a request that does not read its signal', async () => {
    const original = globalThis.AbortController;
    let made = 0;
    globalThis.AbortController = class extends original {
      constructor() {
        super();
        made++;
      }
    };
    try {
      const settled = collect('settle');
      const app = express();
      app.use(hangup());
      app.get('/quiet', (_req, res) => void res.send('ok'));
      app.get('/reads', (req, res) => void res.json(req.signal.aborted));
      const { port } = await serve(app);
      const client = (await RawClient.connect(port)).request('/quiet');
      await client.response();
      await settled.next();
      expect(made).toBe(0);
      await client.request('/reads').response();
      expect(made).toBe(1);
      client.leave('fin');
    } finally {
      globalThis.AbortController = original;
    }
  });

  it('gives the same signal each time, and to every middleware', async () => {
    const { port, arrival } = await waitingApp();
    const client = (await RawClient.connect(port)).request('/wait');
    const { req, res } = await arrival;
    expect(req.signal).toBe(req.signal);
    expect(req.signal).toBeInstanceOf(AbortSignal);
    expect(req.deadline).toBe(req.deadline);
    res.end();
    client.leave('fin');
  });

  it('leaves no listener behind on a socket that carries a thousand requests', async () => {
    const app = express();
    const counts: number[] = [];
    app.use(hangup());
    app.get('/', (req, res) => {
      req.signal.addEventListener('abort', () => undefined);
      counts.push(
        req.socket.listenerCount('close') +
          req.socket.listenerCount('error') +
          req.socket.listenerCount('end'),
      );
      res.send('ok');
    });
    const { port } = await serve(app);
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', onWarning);
    const client = await RawClient.connect(port);
    for (let i = 0; i < 1000; i++) await client.request('/').response();
    for (let i = 0; i < 30; i++) client.request('/');
    for (let i = 0; i < 30; i++) await client.response();
    client.leave('fin');
    process.off('warning', onWarning);
    expect(counts.at(-1)).toBe(counts[0]);
    expect(warnings).toEqual([]);
  });

  it('forgets the requests that a connection has carried', async () => {
    const settled = collect('settle');
    const { port, arrival } = await waitingApp();
    const client = (await RawClient.connect(port)).request('/wait');
    const { req, res } = await arrival;
    const { socket } = req;
    const held = (): unknown[] => [newestOn(socket)];
    expect(held()).toMatchObject([{ req }]);
    res.end();
    await settled.next();
    expect(held()).toEqual([undefined]);
    client.leave('fin');
  });

  it('changes only what is named when it is mounted again', async () => {
    const seen: number[] = [];
    const app = express();
    app.use(hangup({ deadline: 5000 }));
    app.use(hangup());
    app.get('/a', (req, res) => {
      seen.push(req.deadline.timeout);
      res.end();
    });
    app.get('/b', hangup({ deadline: 700 }), (req, res) => {
      seen.push(req.deadline.timeout);
      res.end();
    });
    const { port } = await serve(app);
    const client = await RawClient.connect(port);
    await client.request('/a').response();
    await client.request('/b').response();
    client.leave('fin');
    expect(seen).toEqual([5000, 700]);
  });

  it('keeps the signal when the request comes back out of a mounted app', async () => {
    const sub = express();
    const signals: AbortSignal[] = [];
    sub.use(hangup());
    sub.use((req, _res, next) => {
      signals.push(req.signal);
      next();
    });
    const app = express();
    app.use('/sub', sub);
    app.use((req, res) => {
      signals.push(req.signal);
      res.end();
    });
    const { port } = await serve(app);
    await (await RawClient.connect(port)).request('/sub/x').response();
    expect(signals[0]).toBeInstanceOf(AbortSignal);
    expect(signals[1]).toBe(signals[0]);
  });

  it('is not lost when the app replaces res.locals', async () => {
    const settled = collect('settle');
    const { port, arrival } = await waitingApp();
    const client = (await RawClient.connect(port)).request('/wait');
    const { req, res } = await arrival;
    const { signal } = req;
    res.locals = {};
    expect(req.signal).toBe(signal);
    expect(req.deadline.timeout).toBe(25_000);
    res.end();
    expect(await settled.next()).toMatchObject({ outcome: 'finished' });
    expect(req.signal).toBe(signal);
    client.leave('fin');
  });

  it('explains a forgotten call', async () => {
    const errors: Error[] = [];
    const app = express();
    app.use(hangup as unknown as import('express').RequestHandler);
    app.use(((error: Error, _req, res, _next) => {
      errors.push(error);
      res.end();
    }) as import('express').ErrorRequestHandler);
    const { port } = await serve(app);
    await (await RawClient.connect(port)).request('/').response();
    expect(errors[0]?.message).toMatch(/app\.use\(hangup\(\)\)/);
  });

  it('hands what a deadline function throws or gives wrongly to the app', async () => {
    const errors: string[] = [];
    const app = express();
    app.get('/throws', hangup({ deadline: () => JSON.parse('{') as number }));
    app.get('/wrong', hangup({ deadline: () => '5' as unknown as number }));
    app.use(((error: Error, _req, res, _next) => {
      errors.push(error.name);
      res.end();
    }) as import('express').ErrorRequestHandler);
    const { port } = await serve(app);
    const client = await RawClient.connect(port);
    await client.request('/throws').response();
    await client.request('/wrong').response();
    client.leave('fin');
    expect(errors).toEqual(['SyntaxError', 'TypeError']);
  });
});

describe('the options of hangup()', () => {
  it.each([
    [{ deadline: '10000' }, TypeError, /"deadline" is the string '10000'.*Number\(/],
    [{ deadline: Number('x') }, RangeError, /"deadline" is NaN/],
    [{ deadline: -1 }, RangeError, /"deadline" is -1/],
    [{ deadline: 0 }, RangeError, /false for none/],
    [{ deadline: 2 ** 31 }, RangeError, /2147483647/],
    [{ deadline: Infinity }, RangeError, /false for none/],
    [{ deadline: true }, TypeError, /"deadline" is true/],
    [{ deadline: null }, TypeError, /"deadline" is null/],
    [{ grace: '5' }, TypeError, /"grace"/],
    [{ grace: -5 }, RangeError, /"grace" is -5/],
    [{ stall: 0 }, RangeError, /"stall" is 0/],
    [{ inherit: 'yes' }, TypeError, /"inherit"/],
    [{ inherit: null }, TypeError, /"inherit"/],
    [{ inherit: { header: ['x'] } }, TypeError, /Did you mean "headers"/],
    [{ inherit: { headers: [] } }, TypeError, /"headers"/],
    [{ inherit: { headers: ['bad name'] } }, TypeError, /"headers"/],
    [{ inherit: { trust: true } }, TypeError, /"trust"/],
    [{ context: 1 }, TypeError, /"context" is 1/],
    [{ Deadline: 5 }, TypeError, /Did you mean "deadline"/],
    [{ timeout: 5 }, TypeError, /Known options: deadline, grace/],
    [5000, TypeError, /must be an object/],
    [null, TypeError, /must be an object/],
  ])('refuses %p', (options, type, message) => {
    expect(() => hangup(options as object)).toThrow(type);
    expect(() => hangup(options as object)).toThrow(message);
  });
});
