import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import http from 'node:http';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { hangup } from 'express-hangup';
import { TEST_CERTIFICATES, TEST_KEY } from '../../src/testing/upstream/test-certificates';
import { collect } from '../fixtures/events';
import { holdingUpstream } from '../fixtures/held-upstream';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, gate, serve } from '../fixtures/serve';
import { httpCall } from './clients';

const [[, express]] = expressVersions;

/** A client library of the old kind: one connection, opened when first needed, and a callback for each answer. */
class CallbackClient {
  private readonly waiting: (() => void)[] = [];
  private socket: Socket | undefined = undefined;

  constructor(private readonly connect: () => Socket) {}

  ask(callback: () => void): void {
    this.waiting.push(callback);
    this.socket ??= this.connect().on('data', () => this.waiting.shift()?.());
    this.socket.write('?');
  }

  close(): void {
    this.socket?.destroy();
  }
}

async function echo(server: net.Server): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  server.on(server instanceof tls.Server ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('data', (data) => socket.write(data));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as net.AddressInfo).port, close };
}

const connections: [string, () => net.Server, (port: number) => Socket][] = [
  ['net.connect()', () => net.createServer(), (port) => net.connect(port, '127.0.0.1')],
  [
    'new net.Socket().connect()',
    () => net.createServer(),
    (port) => new net.Socket().connect(port, '127.0.0.1'),
  ],
  [
    'tls.connect()',
    () => tls.createServer({ key: TEST_KEY, cert: TEST_CERTIFICATES.trusted }),
    (port) => tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }),
  ],
];

/** What a callback goes on to call, and how: at once, in a later tick, by a promise. */
const ways: [string, (begin: () => void) => void][] = [
  ['at once', (begin) => begin()],
  ['in a later tick', (begin) => process.nextTick(begin)],
  ['by a timer', (begin) => setImmediate(begin)],
  ['by a promise', (begin) => void Promise.resolve().then(begin)],
];

describe.each(connections)(
  'a callback on a connection of %s that another request opened',
  (_name, server, connect) => {
    it.each(ways)('begins no call of that request: %s', async (_way, later) => {
      const upstream = await holdingUpstream();
      const { port: target, close } = await echo(server());
      const client = new CallbackClient(() => connect(target));
      const opened = gate();
      const aborts = collect('abort');
      const app = express();
      app.use(hangup({ propagate: true }));
      app.get('/opener', () => client.ask(opened.open));
      app.get('/other/:turn', (req, res, next) => {
        client.ask(() =>
          later(() => {
            const { turn } = req.params;
            const byFetch = fetch(`${upstream.url}/fetch-${turn}`).then((response) => response.text());
            Promise.all([byFetch, httpCall(`${upstream.url}/http-${turn}`)]).then(
              (texts) => res.json(texts),
              next,
            );
          }),
        );
      });
      const { port } = await serve(app);
      const opener = (await RawClient.connect(port)).request('/opener');
      await opened.promise;
      const before = (await RawClient.connect(port)).request('/other/before');
      await Promise.all(['/fetch-before', '/http-before'].map((path) => upstream.arrived(path)));
      opener.leave('rst');
      await aborts.next();
      const after = (await RawClient.connect(port)).request('/other/after');
      await Promise.all(['/fetch-after', '/http-after'].map((path) => upstream.arrived(path)));
      for (const path of upstream.paths) upstream.answer(path);
      expect((await before.response()).body).toBe('["whole","whole"]');
      expect((await after.response()).body).toBe('["whole","whole"]');
      before.leave('fin');
      after.leave('fin');
      client.close();
      close();
    });
  },
);

describe('callbacks of node:http', () => {
  it('stay in the context of their request when the other side resets', async () => {
    const upstream = await holdingUpstream();
    const resetting = net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    resetting.listen(0, '127.0.0.1');
    await once(resetting, 'listening');
    const { port: target } = resetting.address() as net.AddressInfo;
    const app = express();
    app.use(hangup({ propagate: true }));
    app.get('/', () => {
      http.get({ port: target, host: '127.0.0.1' }).on('error', () => {
        http.get(`${upstream.url}/next`).on('error', () => undefined);
      });
    });
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    await upstream.arrived('/next');
    client.leave('rst');
    expect(await upstream.over('/next')).toBe(false);
    resetting.close();
  });

  it.each([
    ['the response', (upstream: string, then: () => void) => http.get(upstream, then)],
    [
      'the end of its body',
      (upstream: string, then: () => void) => http.get(upstream, (r) => r.resume().on('end', then)),
    ],
    ['a failure', (_upstream: string, then: () => void) => http.get('http://127.0.0.1:1/').on('error', then)],
  ])('stay in the context of their request: %s', async (_what, begin) => {
    const upstream = await holdingUpstream();
    const app = express();
    app.use(hangup({ propagate: true }));
    app.get('/', () => {
      begin(`${upstream.url}/now`, () => http.get(`${upstream.url}/next`).on('error', () => undefined));
    });
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    await upstream.arrived('/next');
    client.leave('rst');
    expect(await upstream.over('/next')).toBe(false);
  });
});

it('the stores of others are left on a connection as they were', async () => {
  const { port: target, close } = await echo(net.createServer());
  const foreign = new AsyncLocalStorage<string>();
  const seen = gate<unknown>();
  const app = express();
  app.use(hangup({ propagate: true }));
  app.get('/', (req, res) => {
    foreign.run('theirs', () => {
      const socket = net.connect(target, '127.0.0.1', () => socket.write('?'));
      socket.on('data', () => {
        seen.open(foreign.getStore());
        socket.destroy();
        res.end();
      });
    });
  });
  const { port } = await serve(app);
  const client = (await RawClient.connect(port)).request('/');
  expect(await seen.promise).toBe('theirs');
  client.leave('fin');
  close();
});

describe('what a request leaves running in its context', () => {
  afterEach(() => jest.restoreAllMocks());

  it.each([
    ['fails at once shortly after the abort', 4900, ['CLIENT_CLOSED_REQUEST']],
    ['may call again five seconds later: it may serve others', 5100, 'whole'],
  ])('%s', async (_title, laterMs, outcome) => {
    const upstream = await holdingUpstream();
    const run = gate<(work: () => Promise<string>) => Promise<string>>();
    const aborts = collect('abort');
    const app = express();
    app.use(hangup({ propagate: true }));
    app.get('/', () => run.open(AsyncLocalStorage.snapshot()));
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    const inContext = await run.promise;
    client.leave('rst');
    await aborts.next();
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + laterMs);
    const call = inContext(() => httpCall(`${upstream.url}/now`));
    const seen = await call.catch((error: unknown) => [(error as { code: string }).code]);
    expect(seen).toEqual(outcome);
  });
});
