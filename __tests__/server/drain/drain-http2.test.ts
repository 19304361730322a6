import { once } from 'node:events';
import http2, { type ClientHttp2Session, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { drainable, hangup, type Drainable, type DrainableOptions } from 'express-hangup';
import type { NextFunction, Request, Response } from 'express';
import { gate } from '../../fixtures/serve';
import { NO_DELAY, LONG, until } from '../../fixtures/server-drain/served';
import { TEST_CERTIFICATES, TEST_KEY } from '../../../src/testing/upstream/test-certificates';

type Listener = (req: http2.Http2ServerRequest, res: http2.Http2ServerResponse) => void;

const SOON = { delay: 0, timeout: 50, force: 60_000 };
const sessions: ClientHttp2Session[] = [];
afterEach(() => sessions.splice(0).forEach((session) => session.destroy()));

interface Served {
  server: Http2Server;
  handle: Drainable;
  connect: () => Promise<ClientHttp2Session>;
}

async function served(server: Http2Server, options: DrainableOptions = NO_DELAY): Promise<Served> {
  const handle = drainable(server, { signals: [], ...options });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connect = async (): Promise<ClientHttp2Session> => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    sessions.push(session);
    session.on('error', () => undefined);
    await once(session, 'connect');
    return session;
  };
  return { server, handle, connect };
}

interface Got {
  status: number | undefined;
  body: string;
  code: number;
}

function get(session: ClientHttp2Session, path = '/'): Promise<Got> {
  return new Promise((resolve) => {
    const stream = session.request({ ':path': path });
    let status: number | undefined;
    let body = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    stream.on('response', (headers) => (status = headers[':status']));
    stream.on('error', () => undefined);
    stream.on('close', () => resolve({ status, body, code: stream.rstCode }));
  });
}

function answerStream(stream: ServerHttp2Stream): void {
  stream.resume().respond({ ':status': 200 });
  stream.end('ok');
}

describe('drainable(): HTTP/2', () => {
  it('tells sessions to go away, answers what has begun, and closes', async () => {
    const [begun, release] = [gate(), gate()];
    const { handle, connect } = await served(
      http2.createServer((_req, res) => {
        begun.open();
        void release.promise.then(() => res.end('late'));
      }),
    );
    const session = await connect();
    const goaway = once(session, 'goaway');
    const answer = get(session);
    await begun.promise;
    const draining = handle.drain();
    expect((await goaway)[0]).toBe(http2.constants.NGHTTP2_NO_ERROR);
    release.open();
    expect(await answer).toEqual({ status: 200, body: 'late', code: 0 });
    expect(await draining).toMatchObject({ finished: 1, aborted: 0, forced: 0, gone: 0 });
  });

  it('serves old and new sessions during the delay, and sends no GOAWAY before its end', async () => {
    const { handle, connect, server } = await served(
      http2.createServer((_req, res) => void res.end('ok')),
      { ...LONG, delay: 300 },
    );
    const [old, listening] = [await connect(), [] as boolean[]];
    old.on('goaway', () => listening.push(server.listening));
    const goaway = once(old, 'goaway');
    await get(old);
    const draining = handle.drain();
    expect(await get(old)).toMatchObject({ status: 200, body: 'ok' });
    expect(await get(await connect())).toMatchObject({ status: 200, body: 'ok' });
    await goaway;
    // Who is sent away earlier comes back to the same instance.
    expect(listening).toEqual([false]);
    expect(await draining).toMatchObject({ finished: 2 });
  });

  it('tells a silent session to go away with its next request, for one may be on its way', async () => {
    const { handle, connect, server } = await served(http2.createServer((_req, res) => void res.end('ok')));
    const session = await connect();
    await get(session);
    let isSentAway = false;
    session.on('goaway', () => (isSentAway = true));
    const draining = handle.drain();
    await until(() => !server.listening);
    // Behind everything that had been sent until now.
    await new Promise((resolve) => session.ping(resolve));
    expect(isSentAway).toBe(false);
    expect(await get(session)).toEqual({ status: 200, body: 'ok', code: 0 });
    expect(await draining).toMatchObject({ finished: 1, gone: 0 });
    expect(isSentAway).toBe(true);
  });

  it('does not close a session with a long stream for being idle', async () => {
    const streams: ServerHttp2Stream[] = [];
    const server = http2.createServer();
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.respond({ ':status': 200 });
      streams.push(stream);
    });
    const { handle, connect } = await served(server);
    const answer = get(await connect());
    await until(() => streams.length === 1);
    const draining = handle.drain();
    await new Promise((resolve) => setTimeout(resolve, 1300));
    streams[0]!.end('whole');
    expect(await answer).toEqual({ status: 200, body: 'whole', code: 0 });
    expect(await draining).toMatchObject({ finished: 1, byRoute: { 'HTTP/2 stream': { finished: 1 } } });
  });

  it('aborts the signal and answers 503 when the time is up', async () => {
    const guard = hangup({ grace: 0 });
    const begun = gate();
    const reasons: unknown[] = [];
    const listener = ((req: Request, res: Response) => {
      void guard(req, res, ((error?: unknown) => {
        if (error !== undefined) {
          res.statusCode = 503;
          res.end();
          return;
        }
        req.signal.addEventListener('abort', () => reasons.push(req.signal.reason.code));
        begun.open();
      }) as NextFunction);
    }) as unknown as Listener;
    const { handle, connect } = await served(http2.createServer(listener), SOON);
    const answer = get(await connect());
    await begun.promise;
    const draining = handle.drain();
    expect(await answer).toMatchObject({ status: 503 });
    expect(reasons).toEqual(['SERVER_DRAINING']);
    expect(await draining).toMatchObject({ aborted: 1 });
  });

  it.each([
    ['a response', (begun: () => void) => http2.createServer(() => begun())],
    ['a bare stream', (begun: () => void) => http2.createServer().on('stream', () => begun())],
  ])('answers 503 in the place of %s without hangup()', async (_, create) => {
    const begun = gate();
    const { handle, connect } = await served(
      create(() => begun.open()),
      SOON,
    );
    const answer = get(await connect());
    await begun.promise;
    void handle.drain();
    expect(await answer).toMatchObject({ status: 503 });
  });

  it.each<[string, (server: Http2Server) => unknown]>([
    ['a response', (server) => server.on('request', (req, res) => void (req.resume(), res.end('ok')))],
    ['a bare stream', (server) => server.on('stream', answerStream)],
  ])('closes %s whose client never ends its body when the time is up, as HTTP/1 does', async (_, answer) => {
    const server = http2.createServer();
    answer(server);
    const { handle, connect } = await served(server, { ...SOON, timeout: 100 });
    const stream = (await connect()).request({ ':method': 'POST' }, { endStream: false });
    stream.resume().write('the beginning');
    await once(stream, 'end');
    expect(await handle.drain()).toMatchObject({ finished: 1, forced: 0, gone: 0 });
    expect(stream.rstCode).toBe(0);
  });

  it('destroys what is left at force', async () => {
    const begun = gate();
    const { handle, connect } = await served(
      http2.createServer((_req, res) => {
        res.write('begun');
        begun.open();
      }),
      { delay: 0, timeout: 30, force: 60 },
    );
    const session = await connect();
    const answer = get(session);
    await begun.promise;
    expect(await handle.drain()).toMatchObject({ forced: 1, finished: 0 });
    expect((await answer).code).not.toBe(http2.constants.NGHTTP2_NO_ERROR);
  });

  it('counts a stream that its client cancelled as gone', async () => {
    const begun = gate();
    const { handle, connect } = await served(http2.createServer(() => begun.open()));
    const session = await connect();
    const stream = session.request({ ':path': '/' });
    stream.on('error', () => undefined);
    await begun.promise;
    const draining = handle.drain();
    stream.close(http2.constants.NGHTTP2_CANCEL);
    expect(await draining).toMatchObject({ gone: 1, finished: 0 });
  });

  it('needs no handler to be there first', async () => {
    const server = http2.createServer();
    const { handle, connect } = await served(server);
    const [begun, release] = [gate(), gate()];
    server.on('request', (_req, res) => {
      begun.open();
      void release.promise.then(() => res.end('late'));
    });
    const answer = get(await connect());
    await begun.promise;
    const draining = handle.drain();
    release.open();
    expect(await answer).toMatchObject({ status: 200, body: 'late' });
    expect(await draining).toMatchObject({ finished: 1, byRoute: { 'GET (no route)': { finished: 1 } } });
  });
});

describe('drainable(): TLS', () => {
  const certificate = { key: TEST_KEY, cert: TEST_CERTIFICATES.trusted };

  async function listening(server: https.Server | http2.Http2SecureServer): Promise<number> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  it('answers what is in flight with Connection: close, and closes silent connections', async () => {
    const [begun, release] = [gate(), gate()];
    const server = https.createServer(certificate, (_req, res) => {
      begun.open();
      void release.promise.then(() => res.end('late'));
    });
    const handle = drainable(server, { signals: [], ...NO_DELAY });
    const port = await listening(server);
    const silent = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const raw = net.connect(port, '127.0.0.1');
    await Promise.all([once(silent, 'secureConnect'), once(raw, 'connect')]);
    const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(client, 'secureConnect');
    let text = '';
    client.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await begun.promise;
    const draining = handle.drain();
    await until(() => !server.listening);
    release.open();
    await Promise.all([once(silent.resume(), 'close'), once(raw.resume(), 'close'), once(client, 'close')]);
    expect(text).toMatch(/^HTTP\/1.1 200 .*Connection: close\r\n.*late/s);
    expect(await draining).toMatchObject({ finished: 1 });
  });

  it('lets a TLS handshake that has begun go on', async () => {
    const server = https.createServer(certificate, (_req, res) => void res.end('ok'));
    const handle = drainable(server, { signals: [], ...NO_DELAY });
    const port = await listening(server);
    const raw = net.connect(port, '127.0.0.1');
    await Promise.all([once(raw, 'connect'), once(server, 'connection')]);
    const draining = handle.drain();
    await until(() => !server.listening);
    const client = tls.connect({ socket: raw, rejectUnauthorized: false });
    await once(client, 'secureConnect');
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    let text = '';
    client.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await once(client, 'close');
    expect(text).toContain('ok');
    expect(await draining).toMatchObject({ finished: 1 });
  });

  it('gives up a TLS handshake of which no more comes', async () => {
    const server = https.createServer(certificate, (_req, res) => void res.end('ok'));
    const handle = drainable(server, { signals: [], ...NO_DELAY });
    const port = await listening(server);
    const raw = net.connect(port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [net.Socket];
    // A record of 512 bytes, of which six come.
    raw.resume().write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    await until(() => socket.bytesRead === 6);
    const draining = handle.drain();
    await once(raw, 'close');
    expect((await draining).ms).toBeLessThan(5000);
  });

  it('knows both versions on one server', async () => {
    const release = gate();
    let begun = 0;
    const server = http2.createSecureServer({ ...certificate, allowHTTP1: true }, (_req, res) => {
      begun += 1;
      void release.promise.then(() => res.end('late'));
    });
    const handle = drainable(server, { signals: [], ...NO_DELAY });
    const port = await listening(server);
    const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    sessions.push(session);
    const second = get(session);
    const first = new Promise<[number | undefined, string | undefined]>((resolve, reject) => {
      const agent = new https.Agent({ keepAlive: true });
      https
        .get({ port, host: '127.0.0.1', rejectUnauthorized: false, agent }, (res) => {
          res.resume();
          resolve([res.statusCode, res.headers.connection]);
        })
        .on('error', reject);
    });
    await until(() => begun === 2);
    const draining = handle.drain();
    await until(() => !server.listening);
    release.open();
    expect(await first).toEqual([200, 'close']);
    expect(await second).toEqual({ status: 200, body: 'late', code: 0 });
    expect(await draining).toMatchObject({ finished: 2 });
  });
});
