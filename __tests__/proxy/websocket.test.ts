import { clientThatHangsUp } from 'express-hangup/testing';
import express from 'express';
import { hangup } from 'express-hangup';
import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { RawClient } from '../fixtures/raw-client';
import { refusingPort } from '../fixtures/faulty-server';
import { gate, listen, serve } from '../fixtures/serve';
import { createProxy, proxyVersions, type AnyOptions, type Hpm } from './fixture';
import { rawUpstream } from './raw-upstream';

const UPGRADE =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAccept: application/json\r\n\r\n';

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

async function socketApp(hpm: Hpm, options: AnyOptions): Promise<{ port: number; server: http.Server }> {
  const proxy = createProxy(hpm, options);
  const app = express().use(hangup({ deadline: 50 }), proxy);
  const served = await listen(http.createServer(app));
  served.server.on('upgrade', proxy.upgrade as (...args: unknown[]) => void);
  return served;
}

/** An upstream that accepts every upgrade and hands over the connection. */
async function switchingUpstream(): Promise<{ url: string; accepted: Promise<Socket> }> {
  const accepted = gate<Socket>();
  const url = await rawUpstream((socket) => {
    socket.once('data', () => {
      socket.write(SWITCHING);
      accepted.open(socket);
    });
  });
  return { url, accepted: accepted.promise };
}

describe.each(proxyVersions)('a WebSocket, %s', (_name, hpm) => {
  it('echoes beyond the deadline', async () => {
    const { port: upstreamPort, server } = await serve(() => undefined);
    const upstream = new WebSocketServer({ server });
    upstream.on('connection', (ws) => ws.on('message', (message: Buffer) => ws.send(message.toString())));
    const { port } = await socketApp(hpm, { target: `http://127.0.0.1:${upstreamPort}`, proxyTimeout: 400 });
    const ws = new WebSocket(`ws://127.0.0.1:${port}/chat`);
    await once(ws, 'open');

    await sleep(600);
    ws.send('still here?');
    const [message] = (await once(ws, 'message')) as [Buffer];

    expect(message.toString()).toBe('still here?');
    const closed = once(ws, 'close');
    ws.close(1000);
    expect((await closed)[0]).toBe(1000);
  });

  it('subscribes by the first request, as ws: true has it', async () => {
    const { port: upstreamPort, server } = await serve(((_req, res) =>
      res.end('ok')) satisfies http.RequestListener);
    new WebSocketServer({ server }).on('connection', (ws) => ws.send('hello'));
    const { url, port } = await serve(
      express().use(createProxy(hpm, { target: `http://127.0.0.1:${upstreamPort}`, ws: true })),
    );
    expect((await clientThatHangsUp(url)).response?.text).toBe('ok');

    const ws = new WebSocket(`ws://127.0.0.1:${port}/`);
    const [message] = (await once(ws, 'message')) as [Buffer];

    expect(message.toString()).toBe('hello');
    ws.terminate();
  });

  it('loses nothing that the client sends before the answer', async () => {
    const { url, accepted } = await switchingUpstream();
    const { port } = await socketApp(hpm, { target: url });
    const client = await RawClient.connect(port);

    client.send(UPGRADE);
    await new Promise(setImmediate);
    client.send('too early');

    const upstream = await accepted;
    let received = '';
    upstream.on('data', (chunk: Buffer) => (received += chunk.toString()));
    while (!received.includes('too early')) await once(upstream, 'data');
    expect(received).toContain('too early');
    client.leave('fin');
  });

  it.each(['fin', 'rst'] as const)('whose client leaves (%s) leaves the upstream', async (how) => {
    const { url, accepted } = await switchingUpstream();
    const { port } = await socketApp(hpm, { target: url });
    const client = await RawClient.connect(port);
    client.send(UPGRADE);
    await client.received('101');
    const upstream = await accepted;

    client.leave(how);

    await once(upstream.resume(), 'close');
    expect(upstream.destroyed).toBe(true);
  });

  it.each(['fin', 'rst'] as const)('whose upstream leaves (%s) leaves the client', async (how) => {
    const { url, accepted } = await switchingUpstream();
    const { port } = await socketApp(hpm, { target: url });
    const client = await RawClient.connect(port);
    client.send(UPGRADE);
    await client.received('101');
    const upstream = await accepted;

    if (how === 'rst') upstream.resetAndDestroy();
    else upstream.end('last words');

    if (how === 'fin') await client.received('last words');
    expect(['fin', 'ECONNRESET', 'closed']).toContain(await client.end());
  });
});

describe.each(proxyVersions)('a WebSocket handshake, %s', (_name, hpm) => {
  it('with an upstream that refuses the connection is answered 502', async () => {
    const { port } = await socketApp(hpm, { target: `http://127.0.0.1:${await refusingPort()}` });
    const client = await RawClient.connect(port);

    const response = await client.send(UPGRADE).response();

    expect(response).toMatchObject({ status: 502, complete: true, headers: { connection: 'close' } });
    expect(JSON.parse(response.body)).toMatchObject({ code: 'UPSTREAM_REFUSED' });
    expect(await client.end()).toBe('fin');
  });

  it('that the upstream resets is answered 502', async () => {
    const target = await rawUpstream((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const { port } = await socketApp(hpm, { target });
    const client = await RawClient.connect(port);

    const response = await client.send(UPGRADE).response();

    expect([response.status, response.complete]).toEqual([502, true]);
    expect(await client.end()).toBe('fin');
  });

  it.each(['upgradeTimeout', 'proxyTimeout'])('that takes longer than %s is answered 504', async (option) => {
    const target = await rawUpstream(() => undefined);
    const { port } = await socketApp(hpm, { target, [option]: 60 });
    const client = await RawClient.connect(port);

    const response = await client.send(UPGRADE).response();

    expect([response.status, response.complete]).toEqual([504, true]);
    expect(JSON.parse(response.body)).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });

  it('that the upstream answers otherwise is passed on, and ends with its body', async () => {
    const target = await rawUpstream(
      'HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=5\r\n\r\n2\r\nno\r\n0\r\n\r\n',
    );
    const { port } = await socketApp(hpm, { target });
    const client = await RawClient.connect(port);

    client.send(UPGRADE);
    const ended = await client.end();
    const response = await client.response();

    expect([response.status, response.body, response.headers.connection, ended]).toEqual([
      401,
      'no',
      'close',
      'fin',
    ]);
    expect(response.headers['transfer-encoding']).toBeUndefined();
  });

  it('that the upstream answers otherwise, and not to the end, is cut by a reset', async () => {
    const target = await rawUpstream((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\nno');
        setTimeout(() => socket.destroy(), 30);
      });
    });
    const { port } = await socketApp(hpm, { target });
    const client = await RawClient.connect(port);

    client.send(UPGRADE);

    expect(await client.end()).toBe('ECONNRESET');
  });

  it.each(['fin', 'rst'] as const)('whose client leaves (%s) leaves the upstream', async (how) => {
    const arrived = gate<Socket>();
    const target = await rawUpstream((socket) => socket.once('data', () => arrived.open(socket)));
    const { port } = await socketApp(hpm, { target });
    const client = await RawClient.connect(port);
    client.send(UPGRADE);
    const upstream = await arrived.promise;

    client.leave(how);

    await once(upstream.resume(), 'close');
    expect(upstream.destroyed).toBe(true);
  });

  it('may be answered by the user’s own on.error', async () => {
    const { port } = await socketApp(hpm, {
      target: `http://127.0.0.1:${await refusingPort()}`,
      on: { error: (_error, _req, socket) => socket.end('HTTP/1.1 599 Mine\r\nContent-Length: 0\r\n\r\n') },
    });
    const client = await RawClient.connect(port);

    expect((await client.send(UPGRADE).response()).status).toBe(599);
    expect(await client.end()).toBe('fin');
  });

  it('survives an on.error that is written for responses only', async () => {
    const { port } = await socketApp(hpm, {
      target: `http://127.0.0.1:${await refusingPort()}`,
      on: { error: (_error, _req, res) => (res as http.ServerResponse).writeHead(500).end() },
    });
    const client = await RawClient.connect(port);

    expect((await client.send(UPGRADE).response()).status).toBe(500);
  });

  it('whose router function throws is answered 500, and the process lives', async () => {
    const { port } = await socketApp(hpm, { router: () => Promise.reject(new Error('no idea')) });
    const client = await RawClient.connect(port);

    expect((await client.send(UPGRADE).response()).status).toBe(500);
    expect(await client.end()).toBe('fin');
  });

  it.each(['fin', 'rst'] as const)(
    'without the default plugins survives a client that leaves (%s)',
    async (how) => {
      const { url, accepted } = await switchingUpstream();
      const { port } = await socketApp(hpm, { target: url, ejectPlugins: true });
      const client = await RawClient.connect(port);
      client.send(UPGRADE);
      await client.received('101');
      const upstream = await accepted;

      client.leave(how);

      await once(upstream.resume(), 'close');
      expect(upstream.destroyed).toBe(true);
    },
  );
});
