import type { ErrorRequestHandler, Request, Response } from 'express';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import { lifetimeOf } from '../../src/request/lifetime/lifetime-of';
import { collect } from '../fixtures/events';
import { RawClient } from '../fixtures/raw-client';
import { aborted, expressVersions, gate, serve } from '../fixtures/serve';

const never = (): void => undefined;

/** Lets time pass until no timer is left that `begin` has led to, and then checks. */
async function untilNoTimer(
  begin: () => Promise<RawClient>,
  check: (client: RawClient) => Promise<void>,
): Promise<void> {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance', 'queueMicrotask', 'Date'] });
  try {
    const client = await begin();
    while (jest.getTimerCount() === 0) await new Promise(setImmediate);
    while (jest.getTimerCount() > 0) {
      jest.advanceTimersByTime(10);
      await new Promise(setImmediate);
    }
    await check(client);
  } finally {
    jest.useRealTimers();
  }
}

describe.each(expressVersions)('the deadline on %s', (_name, express) => {
  async function get(
    port: number,
    path = '/',
    options: { headers?: string } = {},
  ): Promise<{ status: number; ms: number; body: string }> {
    const client = await RawClient.connect(port);
    const sent = performance.now();
    const { status, body } = await client.request(path, options).response();
    client.leave('fin');
    return { status, body, ms: performance.now() - sent };
  }

  it('answers 504 for a handler that does not listen, and not before the deadline and the grace', async () => {
    const app = express();
    app.use(hangup({ deadline: 80, grace: 40 }));
    app.get('/', never);
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const { status, ms, body } = await get(port);
    expect(status).toBe(504);
    expect(JSON.parse(body)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(ms).toBeGreaterThanOrEqual(119);
  });

  it('answers 504 through Express itself where no error handler is mounted', async () => {
    const app = express();
    app.set('env', 'test');
    app.use(hangup({ deadline: 30 }));
    app.get('/', never);
    const { port } = await serve(app);
    expect((await get(port)).status).toBe(504);
  });

  it('answers 504 even if the app swallows the error', async () => {
    const app = express();
    app.use(hangup({ deadline: 30, grace: 0 }));
    app.get('/', never);
    const swallowed = gate<Response>();
    app.use(((_error, _req, res, _next) => swallowed.open(res)) as ErrorRequestHandler);
    await untilNoTimer(
      async () => {
        const { port } = await serve(app);
        return (await RawClient.connect(port)).request('/');
      },
      async (client) => {
        expect((await client.response()).status).toBe(504);
        client.leave('fin');
      },
    );
  });

  it('breaks a response that has begun, visibly, even if the app swallows the error', async () => {
    const app = express();
    app.use(hangup());
    app.get('/', deadline(30, { until: 'finish' }), (_req, res) => void res.write('half'));
    app.use(((_error, _req, _res, _next) => undefined) as ErrorRequestHandler);
    await untilNoTimer(
      async () => {
        const { port } = await serve(app);
        return (await RawClient.connect(port)).send('GET / HTTP/1.0\r\n\r\n');
      },
      async (client) => expect(await client.end()).toBe('ECONNRESET'),
    );
  });

  it('aborts the signal at once and, with a fallback, lets a listening handler answer during the grace', async () => {
    const app = express();
    app.use(hangup({ deadline: 30, grace: 5000 }));
    app.get('/', deadline(30, { fallback: true }), (req, res) => {
      req.signal.addEventListener('abort', () =>
        res.json({ cached: true, code: (req.signal.reason as { code: string }).code }),
      );
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const { status, body } = await get(port);
    expect([status, JSON.parse(body)]).toEqual([200, { cached: true, code: 'DEADLINE_EXCEEDED' }]);
  });

  it('does not wait for the grace once the handler has failed with the reason', async () => {
    const app = express();
    app.use(hangup({ deadline: 30, grace: 10_000 }));
    app.get('/', (req, _res, next) => {
      req.signal.addEventListener('abort', () => next(req.signal.reason));
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const { status, ms } = await get(port);
    expect(status).toBe(504);
    expect(ms).toBeLessThan(9000);
  });

  it('gives the reason name, code, status and the deadline', async () => {
    const arrived = gate<Request>();
    const app = express();
    app.use(hangup({ deadline: 25 }));
    app.get('/', (req) => arrived.open(req));
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const answer = get(port);
    const req = await arrived.promise;
    const reason = await aborted(req.signal);
    expect(reason).toMatchObject({
      name: 'TimeoutError',
      code: 'DEADLINE_EXCEEDED',
      status: 504,
      timeout: 25,
    });
    expect(req.deadline.expired).toBe(true);
    expect(req.deadline.remaining()).toBe(0);
    await answer;
  });

  it('leaves no time once it has passed, though its timer came before its time', async () => {
    const arrived = gate<Request>();
    const app = express();
    app.use(hangup({ deadline: 60_000, grace: 0 }));
    app.get('/', (req) => arrived.open(req));
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const answer = get(port);
    const req = await arrived.promise;
    lifetimeOf(req)?.deadlinePassed();
    expect([req.deadline.expired, req.deadline.remaining()]).toEqual([true, 0]);
    expect((await answer).status).toBe(504);
  });

  it('is met by a response that has started in time, which then may stream on', async () => {
    const settled = collect('settle');
    const app = express();
    app.use(hangup({ deadline: 40, grace: 0 }));
    app.get('/', (req, res) => {
      res.write('a');
      setTimeout(
        () => res.end(JSON.stringify([req.signal.aborted, req.deadline.expired, req.deadline.remaining()])),
        150,
      );
    });
    const { port } = await serve(app);
    const { status, body } = await get(port);
    expect([status, body]).toEqual([200, 'a[false,false,null]']);
    expect(await settled.next()).toMatchObject({ outcome: 'finished' });
  });

  it('counts from the arrival, also for a guard that runs later', async () => {
    const app = express();
    app.use(hangup());
    app.use((_req, _res, next) => void setTimeout(() => next(), 60));
    app.get('/', deadline(100), (req, res) => void res.json(req.deadline.remaining()));
    const { port } = await serve(app);
    const { body } = await get(port);
    expect(Number(body)).toBeLessThanOrEqual(41);
  });

  it.each([
    ['longer', 5000, 200],
    ['shorter', 20, 504],
    ['off', false, 200],
    ['by function', (req: Request) => (req.query['slow'] === '1' ? 5000 : 20), 504],
  ] as const)('can be %s on a route', async (_how, ms, expected) => {
    const app = express();
    app.use(hangup({ deadline: 60, grace: 0 }));
    app.get('/', deadline(ms), (_req, res) => void setTimeout(() => res.send('ok'), 120));
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    expect((await get(port)).status).toBe(expected);
  });

  it('works as a guard without hangup()', async () => {
    const app = express();
    app.get('/slow', deadline(20), never);
    app.get('/fast', deadline(5000), (req, res) => void res.json([req.signal.aborted, req.deadline.timeout]));
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    expect((await get(port, '/slow')).status).toBe(504);
    expect((await get(port, '/fast')).body).toBe('[false,5000]');
  });

  it('takes the last of two guards on a route', async () => {
    const app = express();
    app.get('/', deadline(10), deadline(3000), (req, res) => void res.json(req.deadline.timeout));
    const { port } = await serve(app);
    expect((await get(port)).body).toBe('3000');
  });

  it('reaches the error handlers of the router that the guard is in', async () => {
    const app = express();
    const router = express.Router();
    router.get('/x', deadline(20), never);
    router.use(
      ((error: { code: string }, _req, res, _next) =>
        void res.status(504).send(`router ${error.code}`)) as ErrorRequestHandler,
    );
    app.use(hangup({ grace: 0 }));
    app.use('/api', router);
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    expect((await get(port, '/api/x')).body).toBe('router DEADLINE_EXCEEDED');
  });

  it('reaches the error handlers of a mounted app', async () => {
    const sub = express();
    sub.get('/x', deadline(20), never);
    const app = express();
    app.use(hangup({ grace: 0 }));
    app.use('/sub', sub);
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    expect((await get(port, '/sub/x')).status).toBe(504);
  });

  it('does not start a route whose time is already spent', async () => {
    let started = 0;
    const app = express();
    app.use(hangup({ grace: 0 }));
    app.use((_req, _res, next) => void setTimeout(() => next(), 50));
    app.get('/', deadline(10), () => started++);
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    expect((await get(port)).status).toBe(504);
    expect(started).toBe(0);
  });

  it('does not start a guarded route when a middleware calls next() after the 504', async () => {
    let started = 0;
    const late = gate();
    const app = express();
    const router = express.Router();
    router.use((_req, _res, next) => {
      void late.promise.then(() => next());
    });
    router.get('/', deadline(10_000), () => started++);
    app.use(hangup({ deadline: 20, grace: 0 }));
    app.use(router);
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    expect((await get(port)).status).toBe(504);
    late.open();
    await new Promise(setImmediate);
    expect(started).toBe(0);
  });

  it("with until: 'finish' cuts a response that is still under way", async () => {
    const faults = collect('fault');
    const app = express();
    app.use(hangup());
    app.get('/', deadline(50, { until: 'finish' }), (_req, res) => void res.write('half'));
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    const response = await client.response();
    expect(response).toMatchObject({ status: 200, body: 'half', complete: false });
    expect(await faults.next()).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'broken' });
    await client.end();
  });

  it("with until: 'finish' lets a response that is complete in time be", async () => {
    const app = express();
    app.get('/', deadline(5000, { until: 'finish' }), (_req, res) => {
      res.write('one ');
      setImmediate(() => res.end('two'));
    });
    const { port } = await serve(app);
    expect((await get(port)).body).toBe('one two');
  });

  it('can be extended, and cleared', async () => {
    const app = express();
    app.use(hangup({ deadline: 60, grace: 0 }));
    app.get('/extend', (req, res) => {
      req.deadline.extend(5000);
      setTimeout(() => res.json(req.deadline.timeout), 120);
    });
    app.get('/clear', (req, res) => {
      req.deadline.clear();
      setTimeout(() => res.json(req.deadline.remaining()), 120);
    });
    app.get('/bad', (req, res) => {
      const errors: string[] = [];
      for (const ms of ['5', NaN, -1, Infinity]) {
        try {
          req.deadline.extend(ms as number);
        } catch (error) {
          errors.push((error as Error).name);
        }
      }
      res.json(errors);
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    expect(await get(port, '/extend')).toMatchObject({ status: 200, body: '5060' });
    expect(await get(port, '/clear')).toMatchObject({ status: 200, body: 'null' });
    expect((await get(port, '/bad')).body).toBe('["TypeError","RangeError","RangeError","RangeError"]');
  });

  it('does not fire while a debugger is attached', async () => {
    const inspector = process.getBuiltinModule('node:inspector');
    inspector.open(0, '127.0.0.1');
    try {
      const app = express();
      app.use(hangup({ deadline: 20, grace: 0 }));
      app.get('/', (_req, res) => void setTimeout(() => res.send('stepped through'), 120));
      app.use(gatewayErrorHandler());
      const { port } = await serve(app);
      expect((await get(port)).body).toBe('stepped through');
    } finally {
      inspector.close();
    }
  });

  it('leaves no timer behind when the response is sent, and none when the client leaves', async () => {
    const settled = collect('settle');
    const timers = (): number => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length;
    const arrived = gate();
    const app = express();
    app.use(hangup({ deadline: 60_000 }));
    app.get('/ok', (req, res) => {
      req.deadline.signal(60_000);
      res.send('ok');
    });
    app.get('/wait', (req) => {
      req.deadline.signal(60_000);
      arrived.open();
    });
    const set = jest.spyOn(globalThis, 'setTimeout');
    const clear = jest.spyOn(globalThis, 'clearTimeout');
    const before = timers();
    const { port } = await serve(app);
    await get(port, '/ok');
    await settled.next();
    const client = (await RawClient.connect(port)).request('/wait');
    await arrived.promise;
    client.leave('rst');
    await settled.next();
    const made = set.mock.results.map(({ value }) => value as NodeJS.Timeout);
    const cleared = new Set(clear.mock.calls.map(([timer]) => timer));
    set.mockRestore();
    clear.mockRestore();
    expect(made).toHaveLength(4);
    expect(made.filter((timer) => !cleared.has(timer))).toEqual([]);
    expect(timers()).toBeLessThanOrEqual(before + 1);
  });

  describe('req.deadline.signal()', () => {
    it('aborts after its own time with a TimeoutError', async () => {
      const arrived = gate<Request>();
      const app = express();
      app.use(hangup());
      app.get('/', (req) => arrived.open(req));
      const { port } = await serve(app);
      const client = (await RawClient.connect(port)).request('/');
      const req = await arrived.promise;
      expect(await aborted(req.deadline.signal(20))).toMatchObject({ name: 'TimeoutError' });
      expect(req.signal.aborted).toBe(false);
      client.leave('fin');
    });

    it('aborts with the request, and at once when it is over already', async () => {
      const arrived = gate<Request>();
      const app = express();
      app.use(hangup());
      app.get('/', (req) => arrived.open(req));
      const { port } = await serve(app);
      const client = (await RawClient.connect(port)).request('/');
      const req = await arrived.promise;
      const signal = req.deadline.signal(60_000);
      client.leave('fin');
      expect(await aborted(signal)).toBe(req.signal.reason);
      expect(req.deadline.signal(60_000).reason).toBe(req.signal.reason);
    });

    it('does not abort after the request has settled', async () => {
      const settled = collect('settle');
      const arrived = gate<AbortSignal>();
      const app = express();
      app.use(hangup());
      app.get('/', (req, res) => {
        arrived.open(req.deadline.signal(60));
        res.end();
      });
      const { port } = await serve(app);
      await get(port);
      await settled.next();
      const signal = await arrived.promise;
      await new Promise((resolve) => setTimeout(resolve, 90));
      expect(signal.aborted).toBe(false);
    });
  });
});

describe('the options of deadline()', () => {
  it.each([
    ['10000', TypeError, /Number\(/],
    [undefined, TypeError, /undefined/],
    [true, TypeError, /true/],
    [NaN, RangeError, /NaN/],
    [-1, RangeError, /-1/],
    [0, RangeError, /false for none/],
    [2 ** 31, RangeError, /2147483647/],
  ])('refuses %p as the time', (ms, type, message) => {
    expect(() => deadline(ms as number)).toThrow(type);
    expect(() => deadline(ms as number)).toThrow(message);
  });

  it('refuses an unknown option and a wrong until', () => {
    expect(() => deadline(5, { untill: 'finish' } as object)).toThrow(/Did you mean "until"/);
    expect(() => deadline(5, { until: 'end' as 'finish' })).toThrow(/'start' or 'finish'/);
  });
});
