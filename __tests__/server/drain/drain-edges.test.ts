import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { drainable, type DrainableOptions } from 'express-hangup';
import { WebSocket, WebSocketServer } from 'ws';
import { gate, listen } from '../../fixtures/serve';
import { gated, LONG, NO_DELAY, served, until } from '../../fixtures/server-drain/served';

describe('drainable(): a long poll', () => {
  it('that takes its request from its response, as engine.io does, ends like any other', async () => {
    const arrived = gate<() => void>();
    const { handle, connect } = await served((req, res) => {
      arrived.open(() => {
        (req as { res?: unknown }).res = null;
        res.end();
      });
    }, NO_DELAY);
    const client = await connect();
    client.request('/');
    const answer = await arrived.promise;
    const draining = handle.drain();
    answer();
    expect(await draining).toMatchObject({ finished: 1, byRoute: { 'GET (no route)': { finished: 1 } } });
  });
});

describe('drainable(): WebSocket', () => {
  async function chat(options: DrainableOptions): Promise<{ drain: () => Promise<any>; client: WebSocket }> {
    const { server, handle } = await served((_req, res) => res.end(), options);
    const wss = new WebSocketServer({ server });
    closeAll = () => wss.clients.forEach((socket) => socket.close(1001, 'restarting'));
    const { port } = server.address() as net.AddressInfo;
    const client = new WebSocket(`ws://127.0.0.1:${port}`);
    client.on('error', () => undefined);
    await once(client, 'open');
    return { drain: handle.drain, client };
  }
  let closeAll: () => void = () => undefined;

  it('is closed with 1001 where the app does so in onClosing', async () => {
    const upgraded: number[] = [];
    const onClosing = (sockets: readonly unknown[]): void => {
      upgraded.push(sockets.length);
      closeAll();
    };
    const { drain, client } = await chat({ ...NO_DELAY, onClosing });
    const closed = once(client, 'close');
    const draining = drain();
    expect((await closed)[0]).toBe(1001);
    expect(await draining).toMatchObject({ forced: 0 });
    expect(upgraded).toEqual([1]);
  });

  it('is destroyed at force where nobody has closed it', async () => {
    const { drain, client } = await chat({ delay: 0, timeout: 30, force: 60 });
    const closed = once(client, 'close');
    expect(await drain()).toMatchObject({ forced: 1, byRoute: { 'GET (upgraded)': { forced: 1 } } });
    expect((await closed)[0]).toBe(1006);
  });

  it('is asked for again when it comes after the listener has closed', async () => {
    const calls: number[] = [];
    const onClosing = (sockets: readonly unknown[]): void => void calls.push(sockets.length);
    const { server, handle, connect, sockets } = await served((_req, res) => res.end(), {
      ...NO_DELAY,
      onClosing,
    });
    server.on('upgrade', (_req, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    const client = await connect();
    await until(() => sockets.length === 1);
    const draining = handle.drain();
    await until(() => !server.listening);
    client.request('/', { headers: 'Connection: Upgrade\r\nUpgrade: x\r\n' });
    await client.end();
    await draining;
    expect(calls).toEqual([0, 1]);
  });

  it.each(['before', 'after'])(
    'is asked for again when the app has answered it, where it came %s',
    async (when) => {
      const calls: [sockets: number, clients: number][] = [];
      const wss = new WebSocketServer({ noServer: true });
      const onClosing = (sockets: readonly unknown[]): void => {
        calls.push([sockets.length, wss.clients.size]);
        wss.clients.forEach((socket) => socket.close(1001));
      };
      const { server, handle, connect, sockets } = await served((_req, res) => res.end(), {
        ...NO_DELAY,
        onClosing,
      });
      // As with every app that asks a database first who this is.
      const [asked, allowed] = [gate(), gate()];
      server.on('upgrade', (req, socket, head) => {
        void allowed.promise.then(() => wss.handleUpgrade(req, socket, head, () => undefined));
        asked.open();
      });
      const client = await connect();
      await until(() => sockets.length === 1);
      const handshake = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
      const upgrade = (): unknown =>
        client.request('/', { headers: `${handshake}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` });
      if (when === 'before') upgrade();
      if (when === 'before') await asked.promise;
      const draining = handle.drain();
      await until(() => calls.length === 1);
      if (when === 'after') upgrade();
      await asked.promise;
      // The drain has seen it, and the app has not answered.
      if (when === 'after') await until(() => calls.length === 2);
      allowed.open();
      await until(() => calls.at(-1)![1] === 1);
      client.leave('fin');
      expect(await draining).toMatchObject({ forced: 0 });
    },
  );

  it('stays an ordinary request where the app does not listen for upgrades', async () => {
    const { server, connect } = await served(gated().listener);
    const onUpgrade = (): void => undefined;
    server.on('upgrade', onUpgrade);
    server.off('upgrade', onUpgrade);
    expect(server.listenerCount('upgrade')).toBe(0);
    const client = await connect();
    const headers = 'Connection: Upgrade\r\nUpgrade: x\r\n';
    expect(await client.request('/', { headers }).response()).toMatchObject({ status: 200, body: 'at once' });
  });
});

describe('drainable(): at any time', () => {
  it('drains once, however often it is asked', async () => {
    const { handle } = await served(gated().listener);
    const first = handle.drain();
    expect(handle.drain()).toBe(first);
    await first;
    expect(handle.drain()).toBe(first);
  });

  it('is done at once before the server listens, and closes it should it begin to', async () => {
    const server = http.createServer();
    const { drain } = drainable(server, { ...LONG, signals: [] });
    expect(await drain()).toMatchObject({ finished: 0, forced: 0 });
    const closed = once(server, 'close');
    server.listen(0, '127.0.0.1');
    await closed;
    expect(server.listening).toBe(false);
  });

  it('is done at once after the server has closed, without a second close event', async () => {
    const { server, handle } = await served(gated().listener);
    let closes = 0;
    server.on('close', () => closes++);
    server.close();
    await once(server, 'close');
    await handle.drain();
    await new Promise((resolve) => setImmediate(resolve));
    expect(closes).toBe(1);
  });

  it('waits for what is left of a server that the app has closed itself', async () => {
    const { listener, begun, open } = gated();
    const { server, handle, connect } = await served(listener, LONG);
    const client = await connect();
    client.request('/slow');
    await begun;
    server.close();
    const draining = handle.drain();
    open();
    expect((await client.response()).headers['connection']).toBe('close');
    expect(await draining).toMatchObject({ finished: 1 });
  });

  it('drains several servers as one', async () => {
    const [one, two] = [http.createServer((_req, res) => res.end()), http.createServer(() => arrived.open())];
    const arrived = gate();
    const { drain } = drainable([one, two], { signals: [], delay: 0, timeout: 50, force: 60_000 });
    await listen(one);
    const { port } = await listen(two);
    const response = new Promise<number | undefined>((resolve) => {
      http.get({ port, host: '127.0.0.1' }, (res) => resolve(res.resume().statusCode));
    });
    await arrived.promise;
    expect(await drain()).toMatchObject({ aborted: 1 });
    expect([one.listening, two.listening, await response]).toEqual([false, false, 503]);
  });

  it('leaves nothing behind on the server, on its sockets and on the process', async () => {
    const server = http.createServer(gated().listener);
    const count = (): number[] => [
      ...[
        'request',
        'connection',
        'close',
        'listening',
        'newListener',
        'removeListener',
        'session',
        'upgrade',
      ].map((event) => server.listenerCount(event)),
      process.listenerCount('SIGUSR2'),
    ];
    const before = count();
    const { drain } = drainable(server, { ...NO_DELAY, signals: ['SIGUSR2'] });
    await listen(server);
    expect(process.listenerCount('SIGUSR2')).toBe(1);
    await drain();
    expect(count()).toEqual(before);
  });
});

describe('drainable(): signals', () => {
  const settings = { ...LONG, signals: ['SIGUSR2' as const] };

  it('share one listener among all servers, and only while one listens', async () => {
    const servers = [http.createServer(), http.createServer(), http.createServer()];
    for (const server of servers) drainable(server, settings);
    expect(process.listenerCount('SIGUSR2')).toBe(0);
    for (const server of servers) await listen(server);
    expect(process.listenerCount('SIGUSR2')).toBe(1);
    for (const server of servers) {
      server.close();
      await once(server, 'close');
    }
    expect(process.listenerCount('SIGUSR2')).toBe(0);
  });

  it('drain all of them, and are still heard a second after the drain', async () => {
    const { handle } = await served(gated().listener, { ...settings, delay: 0 });
    const other = await served(gated().listener, { ...settings, delay: 0 });
    process.emit('SIGUSR2', 'SIGUSR2');
    expect([handle.draining, other.handle.draining]).toEqual([true, true]);
    await Promise.all([handle.drain(), other.handle.drain()]);
    expect(process.listenerCount('SIGUSR2')).toBe(1);
    process.emit('SIGUSR2', 'SIGUSR2');
    await until(() => process.listenerCount('SIGUSR2') === 0);
  });

  it('of another platform are taken, and not listened to here', async () => {
    const missing = process.platform === 'win32' ? 'SIGUSR1' : 'SIGBREAK';
    const { handle } = await served(gated().listener, { ...NO_DELAY, signals: [missing] });
    expect(process.listenerCount(missing)).toBe(0);
    await handle.drain();
  });
});

describe('drainable(): options', () => {
  const wrong: [string, unknown, new () => Error, string][] = [
    ['an unknown name', { timeuot: 1 }, TypeError, 'there is no option "timeuot". Did you mean "timeout"?'],
    ['a string', { timeout: '5000' }, TypeError, 'convert it with Number(…)'],
    ['NaN', { delay: NaN }, RangeError, 'option "delay" is NaN'],
    ['a negative', { force: -1 }, RangeError, 'option "force" is -1'],
    ['phases out of order', { delay: 10, timeout: 5 }, RangeError, 'are 10, 5 and 3005'],
    [
      'a force before the timeout',
      { timeout: 10, force: 5 },
      RangeError,
      'must not be less than the one before',
    ],
    ['a signal by itself', { signals: 'SIGTERM' }, TypeError, 'an array of signal names'],
    ['no signal', { signals: ['SIGFOO'] }, TypeError, "the string 'SIGFOO'"],
    ['a signal that nobody can answer', { signals: ['SIGKILL'] }, TypeError, "the string 'SIGKILL'"],
    ['a hook that is none', { onDrained: true }, TypeError, 'must be a function'],
    ['null', null, TypeError, 'must be an object'],
  ];

  it.each(wrong)('are refused: %s', (_, options, type, words) => {
    const make = (): unknown => drainable(http.createServer(), options as DrainableOptions);
    expect(make).toThrow(type);
    expect(make).toThrow(words);
  });

  it.each([
    ['an app', () => undefined, 'what app.listen() returns, not the app'],
    ['a TCP server', net.createServer(), 'a server of node:http'],
    ['none', [], 'at least one server'],
    ['nothing', undefined, 'is undefined'],
  ])('a server is needed, and %s is none', (_, server, words) => {
    expect(() => drainable(server as unknown as http.Server)).toThrow(words);
  });

  it.each([
    [{}, { delay: 0, timeout: 25_000, force: 28_000 }],
    [{ timeout: 40_000 }, { delay: 0, timeout: 40_000, force: 43_000 }],
    [{ force: 10_000 }, { delay: 0, timeout: 7000, force: 10_000 }],
    [{ force: 100_000 }, { delay: 0, timeout: 25_000, force: 100_000 }],
    [
      { delay: 0, timeout: 0, force: 0 },
      { delay: 0, timeout: 0, force: 0 },
    ],
  ])('%j mean %j', (options, phases) => {
    expect(drainable(http.createServer(), options)).toMatchObject(phases);
  });

  it('wait five seconds by default in a Kubernetes pod', () => {
    process.env['KUBERNETES_SERVICE_HOST'] = '10.0.0.1';
    const [usual, short] = [
      drainable(http.createServer()),
      drainable(http.createServer(), { timeout: 1000 }),
    ];
    delete process.env['KUBERNETES_SERVICE_HOST'];
    expect([usual, short]).toMatchObject([{ delay: 5000 }, { delay: 1000, timeout: 1000 }]);
  });
});
