import { once } from 'node:events';
import { pipeline, Readable, Writable } from 'node:stream';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { gatewayErrorHandler, hangup, type GatewayErrorHandlerOptions } from 'express-hangup';
import { collect } from '../fixtures/events';
import { RawClient, type RawResponse } from '../fixtures/raw-client';
import { expressVersions, gate, serve } from '../fixtures/serve';

const reset = (): Error =>
  Object.assign(new Error('read ECONNRESET at http://db.internal:5432'), {
    code: 'ECONNRESET',
    syscall: 'read',
    errno: -104,
  });

describe.each(expressVersions)('gatewayErrorHandler() on %s', (_name, express) => {
  async function app(
    handler: RequestHandler,
    options: GatewayErrorHandlerOptions = {},
    before: RequestHandler[] = [hangup()],
  ): Promise<{ port: number; passedOn: unknown[] }> {
    const passedOn: unknown[] = [];
    const app = express();
    app.set('env', 'test');
    for (const middleware of before) app.use(middleware);
    app.use('/x', handler);
    app.use(gatewayErrorHandler(options));
    app.use(((error, _req, res, next) => {
      passedOn.push(error);
      if (res.headersSent) next(error);
      else res.status(500).send('passed on');
    }) as ErrorRequestHandler);
    return { ...(await serve(app)), passedOn };
  }

  async function ask(
    port: number,
    headers = '',
    init: { method?: string; body?: string } = {},
  ): Promise<RawResponse> {
    const client = await RawClient.connect(port);
    const response = await client.request('/x', { headers, ...init }).response();
    client.leave('fin');
    return response;
  }

  it('answers an upstream reset with 502 and problem details', async () => {
    const { port, passedOn } = await app((_req, _res, next) => next(reset()));
    const { status, headers, body } = await ask(port);
    expect(status).toBe(502);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(headers['cache-control']).toBe('no-store');
    expect(JSON.parse(body)).toEqual({
      type: 'about:blank',
      title: 'Bad Gateway',
      status: 502,
      detail: 'A service that this server depends on closed the connection.',
      code: 'UPSTREAM_RESET',
    });
    expect(passedOn).toEqual([]);
  });

  it('works without hangup()', async () => {
    const { port } = await app((_req, _res, next) => next(reset()), {}, []);
    expect((await ask(port)).status).toBe(502);
  });

  it.each([
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'text/html; charset=utf-8', /<h1>502 Bad Gateway<\/h1>/],
    ['text/plain', 'text/plain; charset=utf-8', /^502 Bad Gateway\n/],
    ['application/json', 'application/problem+json', /^\{"type"/],
    ['*/*', 'application/problem+json', /^\{"type"/],
    ['image/png', 'application/problem+json', /^\{"type"/],
  ])('answers Accept: %s with %s', async (accept, type, body) => {
    const { port } = await app((_req, _res, next) => next(reset()));
    const response = await ask(port, `Accept: ${accept}\r\n`);
    expect(response.headers['content-type']).toBe(type);
    expect(response.body).toMatch(body);
  });

  it.each(['application/json', 'text/html', 'text/plain'])(
    'tells nothing of the cause as %s',
    async (accept) => {
      const cause = Object.assign(new TypeError('fetch failed'), { cause: reset(), stack: 'at secret.js:1' });
      const { port } = await app((_req, _res, next) => next(cause));
      const { status, headers, body } = await ask(port, `Accept: ${accept}\r\n`);
      expect(status).toBe(502);
      expect(JSON.stringify(headers) + body).not.toMatch(/internal|5432|ECONNRESET|fetch failed|secret/);
    },
  );

  it('gives HEAD no body', async () => {
    const { port } = await app((_req, _res, next) => next(reset()));
    const client = await RawClient.connect(port);
    client.request('/x', { method: 'HEAD', headers: 'Connection: close\r\n' });
    await client.end();
    await expect(client.response()).resolves.toMatchObject({ status: 502, body: '' });
  });

  it('clears what the handler had set for its own body, and nothing else', async () => {
    const { port } = await app((_req, res, next) => {
      res.set({
        'Content-Type': 'image/png',
        'Content-Length': '9999',
        'Content-Encoding': 'gzip',
        ETag: '"x"',
        'Last-Modified': 'Sat, 01 Jan 2000 00:00:00 GMT',
        'Cache-Control': 'public, max-age=3600',
        'Content-Security-Policy': "default-src 'self'",
        'Access-Control-Allow-Origin': '*',
        'X-Request-Id': '7',
      });
      res.cookie('kept', '1');
      res.statusMessage = 'Fine';
      next(reset());
    });
    const { status, headers, complete } = await ask(port);
    expect([status, complete]).toEqual([502, true]);
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'self'",
      'access-control-allow-origin': '*',
      'x-request-id': '7',
    });
    expect(headers['set-cookie']).toContain('kept=1');
    for (const name of ['content-encoding', 'etag', 'last-modified'])
      expect(headers).not.toHaveProperty(name);
  });

  it.each([
    ['a TypeError', new TypeError('x is not a function')],
    ['an http-error', Object.assign(new Error('Forbidden'), { status: 403, statusCode: 403, expose: true })],
    ['a string', 'oops'],
    ['a frozen object', Object.freeze({})],
  ])('hands on %s, untouched', async (_what, error) => {
    const { port, passedOn } = await app((_req, _res, next) => next(error));
    expect((await ask(port)).body).toBe('passed on');
    expect(passedOn).toHaveLength(1);
    expect(passedOn[0]).toBe(error);
  });

  it('says Connection: close when the body has not been read, and keeps the connection when it has', async () => {
    const unread = await app((_req, _res, next) => next(reset()));
    expect((await ask(unread.port, '', { body: '{"a":1}' })).headers['connection']).toBe('close');
    const read = await app((_req, _res, next) => next(reset()), {}, [hangup(), express.json()]);
    expect((await ask(read.port, '', { body: '{"a":1}' })).headers['connection']).toBe('keep-alive');
  });

  it('delivers its answer amid an upload that goes on', async () => {
    const { port } = await app((_req, _res, next) => next(reset()));
    const client = await RawClient.connect(port);
    client.send('POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 3000000\r\n\r\n').send('x'.repeat(100_000));
    const { status, headers } = await client.response();
    expect([status, headers['connection']]).toEqual([502, 'close']);
    client.leave('fin');
  });

  it.each([
    ['chunked', (res: Response) => res.write('half')],
    ['with a content-length', (res: Response) => res.set('Content-Length', '100').write('half')],
  ])('breaks a response that has begun, %s, without another byte', async (_how, begin) => {
    const faults = collect('fault');
    const { port, passedOn } = await app((_req, res, next) => {
      begin(res);
      setTimeout(() => next(reset()), 20);
    });
    const client = (await RawClient.connect(port)).request('/x');
    expect(await client.response()).toMatchObject({ status: 200, body: 'half', complete: false });
    expect(await faults.next()).toMatchObject({ code: 'UPSTREAM_RESET', outcome: 'broken' });
    expect(passedOn).toEqual([]);
  });

  it('calls a response broken that pipeline() has destroyed', async () => {
    const faults = collect('fault');
    const { port } = await app((_req, res, next) => {
      const failing = new Readable({ read: () => undefined });
      pipeline(failing, res, (error) => next(error));
      failing.push('half');
      setTimeout(() => failing.destroy(reset()), 20);
    });
    const client = (await RawClient.connect(port)).request('/x');
    expect(await client.response()).toMatchObject({ status: 200, body: 'half', complete: false });
    expect(await faults.next()).toMatchObject({ outcome: 'broken' });
  });

  it('resets a connection whose end would pass for the end of the body', async () => {
    const { port } = await app((_req, res, next) => {
      res.write('half');
      setTimeout(() => next(reset()), 20);
    });
    const client = await RawClient.connect(port);
    client.send('GET /x HTTP/1.0\r\n\r\n');
    expect(await client.end()).toBe('ECONNRESET');
  });

  it('does not cut the response before it when a pipelined one breaks', async () => {
    const first = gate();
    const broken = gate();
    const server = express();
    server.set('env', 'test');
    server.use(hangup());
    server.get('/first', (_req, res) => void first.promise.then(() => res.send('whole')));
    server.get('/second', (_req, res, next) => {
      res.write('half');
      next(reset());
      broken.open();
    });
    server.use(gatewayErrorHandler());
    const { port } = await serve(server);
    const client = (await RawClient.connect(port)).request('/first').request('/second');
    await broken.promise;
    first.open();
    expect(await client.response()).toMatchObject({ body: 'whole', complete: true });
    await client.end();
  });

  it.each([
    ['with hangup()', [hangup()]],
    ['without hangup()', []],
  ])(
    'answers 502 when an upload fails in a pipeline, which takes req.socket away, %s',
    async (_how, before) => {
      const { port } = await app(
        (req, _res, next) => {
          const failing = new Writable({
            write: (_chunk, _encoding, done) => setImmediate(() => done(reset())),
          });
          pipeline(req, failing, (error) => next(error));
        },
        {},
        before,
      );
      const client = await RawClient.connect(port);
      client.send('POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 3000000\r\n\r\n').send('x'.repeat(1000));
      expect((await client.response()).status).toBe(502);
      client.leave('fin');
      // Nobody died of it.
      expect((await ask(port)).status).toBe(404);
    },
  );

  it('leaves a response that has ended alone, and its connection too', async () => {
    const finish = gate();
    const server = express();
    server.set('env', 'test');
    server.use(hangup());
    server.get('/x', (_req, res, next) => {
      res.send('whole');
      res.once('finish', () => setImmediate(() => next(reset())));
    });
    server.get('/next', (_req, res) => void finish.promise.then(() => res.send('unharmed')));
    server.use(gatewayErrorHandler());
    const { port } = await serve(server);
    const client = (await RawClient.connect(port)).request('/x');
    expect((await client.response()).body).toBe('whole');
    client.request('/next');
    await new Promise((resolve) => setTimeout(resolve, 20));
    finish.open();
    expect((await client.response()).body).toBe('unharmed');
    client.leave('fin');
  });

  it('lets a response that has ended flow to its end', async () => {
    const settled = collect('settle');
    const { port } = await app((_req, res, next) => {
      res.send('x'.repeat(5_000_000));
      next(reset());
    });
    const { status, body, complete } = await ask(port);
    expect([status, body.length, complete]).toEqual([200, 5_000_000, true]);
    expect(await settled.next()).toMatchObject({ outcome: 'finished' });
  });

  it('sends nothing to a client that is gone, and notes 499 for the access log', async () => {
    const faults = collect('fault');
    const settled = collect('settle');
    const arrived = gate<{ req: Request; res: Response }>();
    const { port, passedOn } = await app((req, res, next) => {
      req.signal.addEventListener('abort', () => next(new Error('whatever the client library says')));
      arrived.open({ req, res });
    });
    const client = (await RawClient.connect(port)).request('/x');
    const { res } = await arrived.promise;
    client.leave('rst');
    expect(await faults.next()).toMatchObject({
      code: 'CLIENT_CLOSED_REQUEST',
      status: 499,
      outcome: 'discarded',
    });
    expect(res.statusCode).toBe(499);
    expect(passedOn).toEqual([]);
    expect(await settled.next()).toMatchObject({ status: 499, outcome: 'CLIENT_CLOSED_REQUEST' });
  });

  it("does not take body-parser's complaint about a lost client for a fault of an upstream", async () => {
    const faults = collect('fault');
    const { port } = await app((_req, res) => void res.end(), {}, [hangup(), express.json()]);
    const client = await RawClient.connect(port);
    client.send(
      'POST /x HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"a":',
    );
    setTimeout(() => client.leave('fin'), 20);
    expect(await faults.next()).toMatchObject({ code: 'CLIENT_CLOSED_REQUEST' });
  });

  it("decides by the signal's reason, whatever the error looks like, and keeps the error in the event", async () => {
    const faults = collect('fault');
    const disguised = reset();
    const { port } = await app(
      (req, _res, next) => void req.signal.addEventListener('abort', () => next(disguised)),
      {},
      [hangup({ deadline: 20 })],
    );
    expect((await ask(port)).status).toBe(504);
    const fault = await faults.next();
    expect(fault).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'answered', method: 'GET' });
    expect(fault.error).toBe(disguised);
  });

  describe('its options', () => {
    it('let the app render, with status and headers set', async () => {
      const { port } = await app((_req, _res, next) => next(reset()), {
        render: (fault, _req, res) => res.json({ oops: fault.code }),
      });
      const { status, headers, body } = await ask(port);
      expect([status, headers['cache-control'], body]).toEqual([
        502,
        'no-store',
        '{"oops":"UPSTREAM_RESET"}',
      ]);
    });

    it('let the app render asynchronously', async () => {
      const { port } = await app((_req, _res, next) => next(reset()), {
        render: async (fault, _req, res) => {
          await new Promise(setImmediate);
          res.send(`later: ${fault.title}`);
        },
      });
      expect((await ask(port)).body).toBe('later: Bad Gateway');
    });

    it('map a code to another status', async () => {
      const { port } = await app((_req, _res, next) => next(reset()), { status: { UPSTREAM_RESET: 503 } });
      const { status, headers, body } = await ask(port);
      expect([status, headers['retry-after'], (JSON.parse(body) as { status: number }).status]).toEqual([
        503,
        '1',
        503,
      ]);
    });

    it('tell of each fault before it is answered', async () => {
      const seen: unknown[] = [];
      const error = reset();
      const { port } = await app((_req, _res, next) => next(error), {
        onFault: (fault, req) => seen.push([fault.code, fault.cause, req.path]),
      });
      await ask(port);
      expect(seen).toEqual([['UPSTREAM_RESET', error, '/x']]);
    });

    it('add Proxy-Status only when asked', async () => {
      const off = await app((_req, _res, next) => next(reset()));
      expect((await ask(off.port)).headers).not.toHaveProperty('proxy-status');
      const on = await app((_req, _res, next) => next(reset()), { proxyStatus: true });
      expect((await ask(on.port)).headers['proxy-status']).toBe(
        'express-hangup; error=connection_terminated',
      );
    });

    it.each([
      ['render', { render: () => JSON.parse('{') as unknown }],
      ['an async render', { render: () => Promise.reject(new SyntaxError('async')) }],
      ['onFault', { onFault: () => void JSON.parse('{') }],
    ] as [string, GatewayErrorHandlerOptions][])('hand on what %s throws', async (_what, options) => {
      const { port, passedOn } = await app((_req, _res, next) => next(reset()), options);
      expect((await ask(port)).body).toBe('passed on');
      expect(passedOn).toMatchObject([{ name: 'SyntaxError' }]);
    });
  });

  it('explains a forgotten call', async () => {
    const errors: Error[] = [];
    const app = express();
    app.use(gatewayErrorHandler as unknown as RequestHandler);
    app.use(((error: Error, _req, res, _next) => {
      errors.push(error);
      res.end();
    }) as ErrorRequestHandler);
    const { port } = await serve(app);
    await ask(port);
    expect(errors[0]?.message).toMatch(/app\.use\(gatewayErrorHandler\(\)\)/);
  });

  it('crashes nobody when two failures of one request arrive at once', async () => {
    const { port } = await app((_req, _res, next) => {
      next(reset());
      next(reset());
    });
    expect((await ask(port)).status).toBe(502);
    const arrived = once(process, 'uncaughtException', { signal: AbortSignal.timeout(30) });
    await expect(arrived).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('the options of gatewayErrorHandler()', () => {
  it.each([
    [{ render: 'x' }, TypeError, /"render"/],
    [{ onFault: 1 }, TypeError, /"onFault"/],
    [{ proxyStatus: 'yes' }, TypeError, /"proxyStatus"/],
    [{ status: { UPSTREAM_RESET: '502' } }, TypeError, /UPSTREAM_RESET is the string '502'/],
    [{ status: { UPSTREAM_RESET: 200 } }, RangeError, /from 400 to 599/],
    [{ status: { upstream_reset: 503 } }, TypeError, /Did you mean "UPSTREAM_RESET"/],
    [{ onfault: 1 }, TypeError, /Did you mean "onFault"/],
    [7, TypeError, /must be an object/],
  ])('refuses %j', (options, type, message) => {
    expect(() => gatewayErrorHandler(options as object)).toThrow(type);
    expect(() => gatewayErrorHandler(options as object)).toThrow(message);
  });
});
