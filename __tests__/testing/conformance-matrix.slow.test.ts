import { once } from 'node:events';
import {
  createServer as createHttpServer,
  get,
  request,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { Agent } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type Request, type Response } from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import {
  conformance,
  faultyUpstream,
  type ConformanceOptions,
  type FaultyUpstream,
} from 'express-hangup/testing';
import { COLUMNS, ROWS } from '../../src/testing/conformance/matrix';

const DEADLINE = 200;
let upstream: FaultyUpstream;

beforeEach(async () => {
  upstream = await faultyUpstream();
});
afterEach(() => upstream.close());

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What the run says of each cell that is wrong. */
async function complaints(app: unknown, options: ConformanceOptions = {}): Promise<string[]> {
  const result = await conformance(app as RequestListener, {
    ...{ upstream, deadline: DEADLINE, margin: 400, methods: ['GET'] },
    ...options,
  });
  return result.cells.filter(({ verdict }) => verdict === 'wrong').map(({ why }) => why);
}

const call = (req: Request, signal?: AbortSignal): Promise<globalThis.Response> =>
  fetch(upstream.url, {
    method: req.method,
    ...(signal && { signal }),
    ...(req.method === 'POST' && { body: 'x' }),
  });

describe('conformance(): an app that does all of it', () => {
  function app(how: 'parses' | 'streams'): express.Express {
    const made = express().use(hangup({ deadline: 200, stall: 200 }));
    made.all('/data', async (req, res) => {
      const answer = await call(req, req.signal);
      if (how === 'parses') res.json(await answer.json());
      else await pipeline(Readable.fromWeb(answer.body as never), res);
    });
    return made.use(gatewayErrorHandler());
  }

  it.each([
    ['parses', 'GET'],
    ['streams', 'POST'],
  ] as const)('finds no wrong cell where it %s what the upstream says to a %s', async (how, method) => {
    // All of them are in `npm run test:slow`, and on every Node in `npm run matrix`.
    const faults: ConformanceOptions['faults'] = ['ok', 'hang', 'close-chunk', 'refuse'];
    const options = { route: '/data', upstream, deadline: 200, methods: [method], faults };
    const result = await conformance(app(how), options);
    result.expectRight();
    expect(result).toMatchObject({ ok: true, right: 22, wrong: 0, flaky: 0, unseen: 0 });
    expect(result.table()).toContain('All cells are right.');
    expect(JSON.parse(JSON.stringify(result.json))).toMatchObject({ route: '/data', cells: { length: 22 } });
  });
});

describe('conformance(): for every cell there is an app that fails it and is caught', () => {
  const caught = new Set<string>();

  async function run(app: unknown, clients: ConformanceOptions['clients']): Promise<void> {
    const options = { upstream, deadline: 100, margin: 400, ...(clients && { clients }) };
    for (const { verdict, method, fault, client } of (await conformance(app as RequestListener, options))
      .cells) {
      if (verdict === 'wrong') caught.add(`${method} ${fault} ${client}`);
    }
  }

  it('catches an app that answers 500 to whatever happens', async () => {
    // While it is looked at whether the route is there, all is well.
    let asked = 0;
    const app = express().all('/', async (req, res) => {
      const isProbe = ++asked <= 6;
      await call(req, AbortSignal.timeout(isProbe ? 1000 : 15))
        .then((answer) => answer.text())
        .catch(String);
      res.status(isProbe ? 200 : 500).end('x');
    });
    await run(app, ['stays', 'leaves-in-response']);
    expect(caught.size).toBe(2 * 12 * 2);
  });

  it('catches an app that throws when its client leaves, and so every cell with the other one', async () => {
    const app = express().all('/', async (req, res) => {
      const controller = new AbortController();
      res.on('close', () => {
        controller.abort();
        if (!res.writableEnded) throw new Error('nobody there');
      });
      const answer = await call(req, controller.signal)
        .then((it) => it.text())
        .catch(() => undefined);
      await sleep(150);
      res.status(answer === undefined ? 502 : 200).end('x');
    });
    await run(app, ['leaves-fin', 'leaves-rst', 'leaves-in-request']);
    const all = ROWS.flatMap((row) =>
      COLUMNS.flatMap((column) => [`GET ${row} ${column}`, `POST ${row} ${column}`]),
    );
    expect(all.filter((cell) => !caught.has(cell))).toEqual([]);
  });
});

describe('conformance(): what it says of apps that are wrong in one way', () => {
  function proxy(onError: (res: Response, error: Error) => void, before = false): RequestListener {
    const { url } = upstream;
    const listener = (_req: Request, res: Response): void => {
      const up = get(url, (answer: IncomingMessage) => {
        res.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.on('data', (bytes) => res.write(bytes));
        answer.on('end', () => res.end());
        answer.on('error', (error) => onError(res, error));
      });
      up.on('error', (error) => {
        if (before || !res.headersSent) onError(res, error);
      });
      res.on('close', () => up.destroy());
    };
    return listener as unknown as RequestListener;
  }

  it('ends a broken chunked body as if it were whole', async () => {
    const app = proxy((res) => void (res.headersSent ? res.end() : res.writeHead(502).end()));
    expect(await complaints(app, { faults: ['close-chunk'], clients: ['stays'] })).toEqual([
      'a fragment looks like a whole answer (200)',
    ]);
  });

  it('neither ends nor breaks a response that was cut', async () => {
    const app = proxy(() => undefined);
    expect(await complaints(app, { faults: ['reset-chunk'], clients: ['stays'] })).toEqual([
      'the response was begun, and neither ended nor broken off',
    ]);
  });

  it('has no deadline, and lets the call go on', async () => {
    const app = express().get('/', async (req, res) => res.json(await (await call(req)).json()));
    const [stays, fin] = await complaints(app, { faults: ['hang'], clients: ['stays', 'leaves-fin'] });
    expect(stays).toMatch(/^no answer within \d+ ms; the call to the upstream was never ended$/);
    expect(fin).toBe('the call to the upstream was never ended');
  });

  it('stops the call at its deadline only', async () => {
    const app = express().get('/', async (req, res) => {
      await call(req, AbortSignal.timeout(DEADLINE)).then(
        async (answer) => res.json(await answer.json()),
        () => res.sendStatus(504),
      );
    });
    const clients: ConformanceOptions['clients'] = ['stays', 'leaves-fin', 'leaves-rst'];
    expect(await complaints(app, { faults: ['hang', 'slow'], clients })).toEqual([
      'the call to the upstream was ended by the deadline only, not when the client left',
      'the call to the upstream was ended by the deadline only, not when the client left',
      'the upstream had to answer for a client that was gone',
      'the upstream had to answer for a client that was gone',
    ]);
  });

  it('drops the connection in place of an answer', async () => {
    const app = proxy((res) => void res.destroy());
    expect(await complaints(app, { faults: ['reset'], clients: ['stays'] })).toEqual([
      'the connection was closed without an answer',
    ]);
  });

  it('tells a refused connection’s address', async () => {
    const app = proxy((res, error) => void res.writeHead(502).end(error.message));
    expect(await complaints(app, { faults: ['refuse'], clients: ['stays'] })).toEqual([
      'the answer tells the address of the upstream',
    ]);
  });

  it('writes on after its answer', async () => {
    const app = proxy((res) => {
      const { socket } = res;
      res.writeHead(502, { 'content-length': 1 });
      res.end('x', () => socket?.write('oops'));
    });
    const [words] = await complaints(app, { faults: ['close'], clients: ['stays'] });
    expect(words).toMatch(/not HTTP/);
  });

  it('cuts the connection under the next request', async () => {
    const app = proxy((res) => {
      const { socket } = res;
      res.writeHead(502).end();
      res.on('close', () => setTimeout(() => socket?.destroy(), 5));
    });
    // Three come before the run, to see whether the route is there; the next on a connection is slow.
    let asked = 0;
    const slow: RequestListener = (req, res) =>
      void setTimeout(() => app(req, res), asked++ > 3 && asked % 2 === 1 ? 50 : 0);
    expect(await complaints(slow, { faults: ['reset'], clients: ['stays'] })).toEqual([
      'the next request on the connection got no answer',
    ]);
  });

  it('sends a POST again', async () => {
    const app = express().post('/', async (req, res) => {
      const answer = await call(req)
        .catch(() => call(req))
        .catch(() => undefined);
      res.status(answer?.status ?? 502).end();
    });
    expect(await complaints(app, { methods: ['POST'], faults: ['reset'], clients: ['stays'] })).toEqual([
      'the POST / was sent to the upstream 2 times',
    ]);
  });

  it('retries a POST that met a stale connection', async () => {
    const agent = new Agent({ keepAlive: true });
    const send = (again: boolean, res: Response): void => {
      const up = request(upstream.url, { method: 'POST', agent }, (answer) => {
        answer.resume();
        res.status(answer.statusCode!).end();
      });
      up.on('error', () => (again ? send(false, res) : res.sendStatus(502)));
      up.end('x');
    };
    const options: ConformanceOptions = { methods: ['POST'], faults: ['stale'], clients: ['stays'] };
    const app = express().post('/', (_req, res) => send(true, res));
    expect(await complaints(app, options)).toEqual(['the POST / was sent to the upstream 2 times']);
    const honest = express().post('/', (_req, res) => send(false, res));
    expect(await complaints(honest, options)).toEqual([]);
    agent.destroy();
  });

  it('passes half of an upload on as the whole', async () => {
    const app = express().post('/', (req, res) => {
      const up = request(upstream.url, { method: 'POST' }, (answer) => void answer.pipe(res));
      up.on('error', () => undefined);
      req.on('data', (bytes) => up.write(bytes));
      req.on('close', () => up.end());
    });
    expect(
      await complaints(app, { methods: ['POST'], faults: ['ok'], clients: ['leaves-in-request'] }),
    ).toEqual(['the upstream was given half of the body as if it were the whole']);
  });

  it('rejects without anybody listening', async () => {
    const app: RequestListener = (_req, res) => {
      void fetch(upstream.url).then(async (answer) => res.end(await answer.text()));
    };
    const [words] = await complaints(app, { faults: ['reset'], clients: ['leaves-fin'] });
    expect(words).toMatch(/^the process would have crashed: unhandled rejection TypeError \(fetch failed\)/);
  });

  it('stops listening', async () => {
    const server = createHttpServer((_req, res) => {
      get(upstream.url, (answer) => answer.pipe(res)).on('error', () => {
        server.close();
        res.writeHead(502).end();
      });
    });
    await listen(server);
    const words = await complaints(server, { faults: ['reset', 'ok'], clients: ['stays'] });
    expect(words.at(-1)).toBe('nobody accepts connections any more');
    server.closeAllConnections();
  });
});

describe('conformance(): where it looks from', () => {
  const echo: RequestListener = (_req, res) => res.end('ok');

  it('says which cells it cannot see without the upstream', async () => {
    const result = await conformance(echo, { methods: ['GET'] });
    expect(result).toMatchObject({ ok: false, right: 7, unseen: 57 });
    expect(result.vacuous).toMatch(/no upstream was given: 57 of 64 cells were not seen/);
    expect(() => result.expectRight()).toThrow(/no upstream was given/);
    expect(result.table()).toContain('· 57 cells could not be seen: the upstream is not ours to break');
  });

  it('starts an upstream for an app that is told its address', async () => {
    let url = '';
    const app: RequestListener = (_req, res) =>
      void get(url, (answer) => answer.pipe(res)).on('error', () => res.writeHead(502).end());
    const result = await conformance(app, {
      upstream: (it) => (url = it),
      methods: ['GET'],
      faults: ['reset'],
      clients: ['stays'],
    });
    expect(result.right).toBe(1);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('plays over HTTP/2, and says what HTTP/2 does not have', async () => {
    const result = await conformance(
      ((_req: unknown, res: Response) => {
        get(upstream.url, (answer) => answer.pipe(res)).on('error', () => res.writeHead(502).end());
      }) as never,
      { upstream, protocol: 'http2', methods: ['GET'], faults: ['ok', 'reset'] },
    );
    expect(result).toMatchObject({ wrong: 0, right: 11, unseen: 2 });
    expect(result.table()).toContain('HTTP/2 has no half-close');
  });

  it('gives the upstream back as it was, for its own paths', async () => {
    await conformance((_req, res) => void get(upstream.url, (answer) => answer.pipe(res)), {
      ...{ upstream, methods: ['GET'], faults: ['ok'], clients: ['stays'] },
    });
    expect((await fetch(`${upstream.url}/status?status=418`)).status).toBe(418);
  });

  it('shows what is wrong in its table and in its error', async () => {
    const app: RequestListener = (_req, res) =>
      void get(upstream.url, (answer) => answer.pipe(res)).on('error', () => res.writeHead(500).end());
    const result = await conformance(app, {
      upstream,
      methods: ['GET'],
      faults: ['ok', 'reset'],
      clients: ['stays'],
    });
    expect(result.table().split('\n').slice(1)).toEqual([
      '',
      'GET    stays',
      'ok     ✓',
      'reset  ✗',
      '',
      '✗ 1 cell: 500 instead of 502',
      '    reset GET stays',
      expect.stringContaining('  → An error of the upstream goes to the default error handler.'),
      expect.any(String),
      expect.stringContaining('https://'),
    ]);
    expect(() => result.expectRight()).toThrow(/^1 of 2 cells are wrong\.\n\n\/ at http/);
  });

  it('refuses a route that is not there, one that calls another upstream, and a server that is none', async () => {
    const none: RequestListener = (_req, res) => res.writeHead(404).end();
    await expect(conformance(none, { upstream, route: '/x' })).rejects.toThrow(
      /GET \/x answered 404 .* methods: \['GET'\]/,
    );
    await expect(conformance(echo, { upstream })).rejects.toThrow(/without a call to the upstream/);
    const server = createServer();
    const url = await listen(server as Server);
    server.close();
    await expect(conformance(url, { upstream })).rejects.toThrow(/nobody accepts connections/);
  });

  it.each([
    [{ faults: ['hnag'] }, /faults is "hnag"/],
    [{ clients: ['leaves'] }, /clients is "leaves"/],
    [{ methods: ['get'] }, /methods is "get"/],
    [{ route: 'x' }, /begin with a slash/],
    [{ deadline: '5' }, /deadline is "5"/],
    [{ timeout: 5 }, /no option "timeout"/],
  ])('refuses %j', async (options, words) => {
    await expect(conformance(echo, options as ConformanceOptions)).rejects.toThrow(words);
  });
});
