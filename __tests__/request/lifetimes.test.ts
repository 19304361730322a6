import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { inspect } from 'node:util';
import type { Request, Response } from 'express';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import { lifetimeOn } from '../../src/request/lifetime/lifetime-of';
import { collect } from '../fixtures/events';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, gate, serve } from '../fixtures/serve';

const REQUEST = 'GET /wait HTTP/1.1\r\nHost: t\r\n\r\n';

describe.each(expressVersions)('a lifetime on %s', (_version, express) => {
  it('costs the same on a connection that carries 1,000 waiting requests and on one that carries 8,000', async () => {
    let [waiting, wanted, all] = [0, 0, gate()];
    const app = express();
    app.use(hangup());
    app.get('/wait', () => {
      if (++waiting === wanted) all.open();
    });
    const { port } = await serve(app);
    const settled = collect('settle');
    // CPU time, not the clock's: others use this machine too.
    const cost = async (count: number): Promise<number> => {
      [waiting, wanted, all] = [0, count, gate()];
      const before = process.cpuUsage();
      const client = (await RawClient.connect(port)).send(REQUEST.repeat(count));
      await all.promise;
      client.leave('rst');
      for (let over = 0; over < count; over++) await settled.next();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / count;
    };
    await cost(1000);
    const [few, many] = [await cost(1000), await cost(8000)];
    // Quadratic would be eight times as dear for each.
    expect(many / few).toBeLessThan(4);
  });

  it('is on no list of keys, in no copy, and in no print of a request, a response or its locals', async () => {
    const seen = gate<[Request, Response]>();
    const app = express();
    app.use(hangup());
    app.get('/', (req, res) => {
      void [req.signal, req.deadline];
      seen.open([req, res]);
      res.end();
    });
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    await client.response();
    const [req, res] = await seen.promise;
    for (const object of [req, res, res.locals]) {
      const keys = Reflect.ownKeys(object).filter((key) =>
        Object.prototype.propertyIsEnumerable.call(object, key),
      );
      expect(keys.map(String).filter((key) => /hangup|lifetime|deadline|^signal$/i.test(key))).toEqual([]);
    }
    expect(inspect(res.locals)).not.toContain('ifetime');
    expect({ ...res.locals }).toEqual({});
    client.leave('fin');
  });

  it.each<[string, (res: Response) => void]>([
    ['shared between requests', (res) => (res.locals = SHARED)],
    ['frozen', (res) => Object.freeze(res.locals)],
    ['copied from a cache', (res) => Object.assign(res.locals, SHARED)],
    ['missing', (res) => (res.locals = undefined as never)],
  ])('is this request’s own where the locals are %s', async (_how, change) => {
    const app = express();
    app.set('env', 'test');
    app.use((_req, res, next) => {
      change(res);
      next();
    });
    app.use(hangup({ grace: 0 }));
    app.use((_req, res, next) => {
      change(res);
      next();
    });
    app.get('/first', deadline(5000), (req, res) => res.json(req.deadline.timeout));
    app.get('/second', deadline(60), () => undefined);
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/first').request('/second').request('/first');
    expect((await client.response()).body).toBe('5000');
    expect((await client.response()).status).toBe(504);
    expect((await client.response()).body).toBe('5000');
    client.leave('fin');
  });

  it('reports a late error with the error itself, as a call of next', async () => {
    const late = collect('late-response');
    const app = express();
    app.set('env', 'test');
    app.use(hangup({ grace: 0 }));
    const go = gate();
    app.get('/', deadline(60), (_req, _res, next) => {
      void go.promise.then(() => next(new Error('too late')));
    });
    app.use(gatewayErrorHandler());
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    expect((await client.response()).status).toBe(504);
    go.open();
    const event = await late.next();
    expect(event).toMatchObject({ call: 'next', route: '/', error: { message: 'too late' } });
    expect(event.stack).toContain('lifetimes.test');
    client.leave('fin');
  });

  it('lets a listener return what it likes', async () => {
    const heard = gate();
    const app = express();
    app.use(hangup({ grace: 0 }));
    app.get('/', deadline(60), (req) => {
      // As superagent's request.abort() does: it returns the request, whose promise rejects.
      const listener = (): any => {
        heard.open();
        return {
          then: (_ok: unknown, failed?: (error: Error) => unknown) => failed?.(new Error('aborted')),
        };
      };
      req.signal.addEventListener('abort', listener);
      const removed = (): void => {
        throw new Error('was taken off');
      };
      req.signal.addEventListener('abort', removed);
      req.signal.removeEventListener('abort', removed);
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    expect((await client.response()).status).toBe(504);
    await heard.promise;
    client.leave('fin');
  });
});

const SHARED = { shared: true };

describe('a deadline in time that is not real', () => {
  const waiting = async (): Promise<{ port: number; arrived: Promise<void>; remaining: () => number }> => {
    const arrived = gate();
    let remaining = (): number => 0;
    const [[, express]] = expressVersions;
    const app = express();
    app.use(hangup({ deadline: 60_000, grace: 0 }));
    app.get('/', (req) => {
      remaining = () => req.deadline.remaining();
      arrived.open();
    });
    app.get('/route', deadline(120_000), () => arrived.open());
    app.use(gatewayErrorHandler());
    return { ...(await serve(app)), arrived: arrived.promise, remaining: () => remaining() };
  };

  it.each(['/', '/route'])("advances with Jest's fake timers: %s", async (path) => {
    const { port, arrived } = await waiting();
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      const client = (await RawClient.connect(port)).request(path);
      await arrived;
      jest.advanceTimersByTime(130_000);
      expect((await client.response()).status).toBe(504);
      client.leave('fin');
    } finally {
      jest.useRealTimers();
    }
  });

  it('may be extended beyond what a timer of Node can hold', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on('warning', note);
    const [[, express]] = expressVersions;
    const app = express();
    app.use(hangup());
    app.get('/', (req, res) => {
      req.deadline.extend(2 ** 31 - 1);
      req.deadline.extend(2 ** 31 - 1);
      // A timer that overflowed would have fired many times by then.
      setTimeout(() => res.json([req.deadline.expired, req.deadline.remaining() > 2 ** 32 - 1000]), 30);
    });
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    expect((await client.response()).body).toBe('[false,true]');
    client.leave('fin');
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('gives no warning where a guard runs after its time is spent', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on('warning', note);
    const [[, express]] = expressVersions;
    const app = express();
    app.set('env', 'test');
    app.use(hangup());
    app.use((_req, _res, next) => void setTimeout(() => next(), 30));
    app.get('/', deadline(5), () => {
      throw new Error('must not be started');
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    expect((await client.response()).status).toBe(504);
    client.leave('fin');
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});

describe('a deadline that passes while the event loop is blocked', () => {
  it.each(['/queued', '/own'])('lets an answer be read that had arrived in time: %s', async (path) => {
    const [[, express]] = expressVersions;
    const upstream = express();
    const asked = gate();
    let answer = (): void => undefined;
    upstream.get('/', (_req, res) => {
      answer = () => void res.json({ whole: true });
      asked.open();
    });
    const { url } = await serve(upstream);
    const app = express();
    app.use(hangup({ deadline: 400, grace: 0 }));
    const proxy = async (req: Request, res: Response): Promise<void> => {
      const response = await fetch(url, { signal: req.signal });
      res.json(await response.json());
    };
    app.get('/queued', (req, res) => void proxy(req, res));
    app.get('/own', deadline(300), (req, res) => void proxy(req, res));
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request(path);
    await asked.promise;
    answer();
    // The answer is on its way to a process that does nothing else for longer than the deadline.
    await new Promise<void>((resolve) =>
      setImmediate(() => {
        const until = performance.now() + 600;
        while (performance.now() < until);
        resolve();
      }),
    );
    expect(await client.response()).toMatchObject({ status: 200, body: '{"whole":true}' });
    client.leave('fin');
  });
});

describe('a lifetime without Express', () => {
  it('is the newer one on a response that a test uses for two requests', () => {
    const res = new ServerResponse(new IncomingMessage(new Socket()));
    const signals = [1, 2].map(() => {
      const req = new IncomingMessage(new Socket()) as Request;
      hangup()(req, res as Response, () => undefined);
      return req.signal;
    });
    expect(signals[0]).not.toBe(signals[1]);
    expect(lifetimeOn(res)?.signal).toBe(signals[1]);
  });
});
