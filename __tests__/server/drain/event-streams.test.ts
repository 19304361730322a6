import { once } from 'node:events';
import type { Response } from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { WebSocket, WebSocketServer } from 'ws';
import { collect } from '../../fixtures/events';
import { expressVersions, gate } from '../../fixtures/serve';
import { NO_DELAY, served, until } from '../../fixtures/server-drain/served';

const HEAD = { 'Content-Type': 'text/event-stream', Connection: 'keep-alive' };
const SOON = { delay: 0, timeout: 50, force: 60_000 };

describe.each(expressVersions)('drainable(): a stream of events, %s', (_, express) => {
  function withStream(): { app: ReturnType<typeof express>; begun: Promise<Response> } {
    const app = express();
    const begun = gate<Response>();
    app.use(hangup({ deadline: false }));
    app.all('/events', (req, res) => {
      res.writeHead(200, HEAD);
      res.write('data: 1\n\n');
      req.signal.addEventListener('abort', () => res.end(`event: ${req.signal.reason.code}\n\n`));
      begun.open(res);
    });
    app.use(gatewayErrorHandler());
    return { app, begun: begun.promise };
  }

  it('hears its signal when the listener has closed, and the drain does not wait for it', async () => {
    const { app, begun } = withStream();
    const { handle, connect, server } = await served(app);
    const client = await connect();
    client.request('/events');
    const { req } = await begun;
    const wasListening = gate<boolean>();
    req.signal.addEventListener('abort', () => wasListening.open(server.listening));
    const report = await handle.drain();
    const { body, complete } = await client.response();
    expect([body, complete]).toEqual(['data: 1\n\nevent: SERVER_DRAINING\n\n', true]);
    // Its client comes back at once, and has to come to another instance.
    expect(await wasListening.promise).toBe(false);
    expect(report).toMatchObject({ aborted: 1, forced: 0 });
    expect(report.ms).toBeLessThan(5000);
  });

  it('hears its signal at once when it begins later', async () => {
    const { app } = withStream();
    const { handle, connect, server, sockets } = await served(app);
    const client = await connect();
    await until(() => sockets.length === 1);
    const draining = handle.drain();
    await until(() => !server.listening);
    client.request('/events');
    expect((await client.response()).body).toBe('data: 1\n\nevent: SERVER_DRAINING\n\n');
    expect(await draining).toMatchObject({ aborted: 1, forced: 0 });
  });

  it('that answers a POST has an end of its own, and hears its signal only when the time is up', async () => {
    const { app, begun } = withStream();
    const { handle, connect, server } = await served(app, { delay: 0, timeout: 800, force: 60_000 });
    const client = await connect();
    client.request('/events', { body: '{}' });
    const { req } = await begun;
    const phases = collect('drain');
    const draining = handle.drain();
    await until(() => !server.listening);
    expect(req.signal.aborted).toBe(false);
    await once(req.signal, 'abort');
    expect(phases.all.map(({ phase }) => phase)).toContain('aborting');
    expect((await client.response()).complete).toBe(true);
    expect(await draining).toMatchObject({ aborted: 1, forced: 0 });
  });
});

describe('drainable(): what does not end by itself', () => {
  it.each(expressVersions)(
    'a stream of events is ended for an app that does not listen, %s',
    async (_, express) => {
      const app = express();
      const begun = gate<Response>();
      app.get('/events', (_req, res) => {
        res.set(HEAD).flushHeaders();
        res.write('data: 1\n\n');
        begun.open(res);
      });
      const { handle, connect } = await served(app);
      const client = await connect();
      client.request('/events');
      const res = await begun.promise;
      const draining = handle.drain();
      expect(await client.response()).toMatchObject({ body: 'data: 1\n\n', complete: true });
      // The app's interval goes on.
      expect(() => res.write('data: 2\n\n')).not.toThrow();
      expect(await draining).toMatchObject({ aborted: 1, forced: 0 });
    },
  );

  it('onClosing is called when the listener has closed', async () => {
    const seen = gate<boolean>();
    const { handle, server } = await served((_req, res) => res.end(), {
      ...NO_DELAY,
      onClosing: () => seen.open(server.listening),
    });
    const draining = handle.drain();
    expect(await seen.promise).toBe(false);
    await draining;
  });

  it('a WebSocket that comes while the listener waits for a quiet moment is among those of onClosing', async () => {
    const upgraded: number[] = [];
    const { handle, server } = await served((_req, res) => res.end(), {
      ...NO_DELAY,
      onClosing: (sockets) => {
        upgraded.push(sockets.length);
        wss.clients.forEach((socket) => socket.close(1001));
      },
    });
    const wss = new WebSocketServer({ server });
    const address = server.address() as { port: number };
    const client = new WebSocket(`ws://127.0.0.1:${address.port}`);
    const [draining, closed] = [once(client, 'open').then(() => handle.drain()), once(client, 'close')];
    expect((await closed)[0]).toBe(1001);
    await draining;
    expect(upgraded).toEqual([1]);
  });

  it('a response of another kind is left alone', async () => {
    const begun = gate<{ end: (text: string) => unknown }>();
    const { handle, connect } = await served((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/plain' }).write('begun, ');
      begun.open(res);
    }, SOON);
    const phases = collect('drain');
    const client = await connect();
    client.request('/');
    const res = await begun.promise;
    const draining = handle.drain();
    await until(() => phases.all.some(({ phase }) => phase === 'aborting'));
    res.end('whole');
    expect(await client.response()).toMatchObject({ body: 'begun, whole', complete: true });
    expect(await draining).toMatchObject({ finished: 1, aborted: 0 });
  });
});
