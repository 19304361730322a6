import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import express from 'express';
import express4 from 'express4';
import { clientThatHangsUp, faultyUpstream, type ClientThatHangsUpOptions } from 'express-hangup/testing';

const open = new Set<Server>();

async function listen<T extends Server>(server: T): Promise<{ server: T; url: string }> {
  open.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A server that answers the first bytes with these bytes, and then does what it is told. */
async function saying(text: string, then: (socket: Socket) => void = () => undefined): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(text, () => then(socket)));
  });
  return (await listen(server)).url;
}

afterEach(async () => {
  for (const server of open) {
    if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections();
    server.close();
  }
  open.clear();
});

describe('clientThatHangsUp(): what it can be pointed at', () => {
  const answer: RequestListener = (_req, res) => res.end('hello');

  it('serves an Express 5 app, an Express 4 app and a request listener for the time of the request', async () => {
    const app5 = express().get('/', answer);
    const app4 = express4().get('/', answer);
    for (const app of [app5, app4, answer]) {
      expect(await clientThatHangsUp(app)).toMatchObject({ response: { text: 'hello' }, ended: 'open' });
    }
  });

  it('starts a server that does not listen, and closes it again', async () => {
    const server = createHttpServer(answer);
    await clientThatHangsUp(server);
    await once(server, 'close');
    expect(server.listening).toBe(false);
  });

  it('leaves a server alone that listens already', async () => {
    const { server, url } = await listen(createHttpServer(answer));
    await clientThatHangsUp(server);
    expect(server.listening).toBe(true);
    expect((await clientThatHangsUp(new URL(url))).response?.text).toBe('hello');
  });

  it('rejects where nobody listens, and names the address', async () => {
    const { server, url } = await listen(createServer());
    server.close();
    await expect(clientThatHangsUp(url)).rejects.toThrow(
      /could not connect to 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
    );
  });

  it('rejects on HTTP/2 where nobody listens', async () => {
    const { server, url } = await listen(createServer());
    server.close();
    await expect(clientThatHangsUp(url, { protocol: 'http2' })).rejects.toThrow('ECONNREFUSED');
  });

  it.each([
    [{ leave: 'early' }, /leave is "early"/],
    [{ how: 'FIN' }, /how is "FIN"/],
    [{ patience: -1 }, RangeError],
    [{ bytes: 'all' }, /bytes is "all"/],
    [{ requests: [] }, /requests is empty/],
    [{ protocol: 'http2', how: 'half-close' }, /HTTP\/2/],
    [{ timeout: 5 }, /no option "timeout"/],
  ])('refuses %j', async (options, words) => {
    await expect(clientThatHangsUp(answer, options as ClientThatHangsUpOptions)).rejects.toThrow(words);
  });

  it('refuses a target that is none', async () => {
    await expect(clientThatHangsUp({} as never)).rejects.toThrow('an app, a server or a URL');
  });
});

describe('clientThatHangsUp(): whether what came back is whole', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\n';
  it.each([
    ['a body of known length', `${HEAD}Content-Length: 3\r\n\r\nabc`, 3, true, 'open'],
    ['a body that stops short', `${HEAD}Content-Length: 5\r\n\r\nabc`, 3, false, 'fin'],
    ['chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`, 3, true, 'open'],
    ['chunks without the last one', `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`, 3, false, 'fin'],
    ['half a chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nabc`, 3, false, 'fin'],
    ['a body up to the end of the connection', `${HEAD}\r\nabc`, 3, true, 'fin'],
    ['204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', 0, true, 'open'],
    ['304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', 0, true, 'open'],
    [
      'an interim answer first',
      `HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n${HEAD}Content-Length: 1\r\n\r\nx`,
      1,
      true,
      'open',
    ],
  ])('knows it for %s', async (_what, text, bodyBytes, complete, ended) => {
    const url = await saying(text, (socket) => socket.end());
    const account = await clientThatHangsUp(url, ended === 'open' ? { patience: 1000 } : {});
    expect(account).toMatchObject({ ended, malformed: undefined, bytesReceived: text.length });
    expect(account.responses).toMatchObject([{ bodyBytes, complete }]);
  });

  it('gives the trailers', async () => {
    const url = await saying(
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nSum: 7\r\nA: b\r\n\r\n`,
    );
    expect((await clientThatHangsUp(url)).response).toMatchObject({
      trailers: { sum: '7', a: 'b' },
      complete: true,
    });
  });

  it('expects no body for HEAD', async () => {
    const url = await saying(`${HEAD}Content-Length: 500\r\n\r\n`);
    expect((await clientThatHangsUp(url, { method: 'HEAD' })).response).toMatchObject({
      bodyBytes: 0,
      complete: true,
    });
  });

  it('does not call a body whole that a reset has ended', async () => {
    const url = await saying(`${HEAD}\r\nabc`, (socket) => setTimeout(() => socket.resetAndDestroy(), 20));
    expect(await clientThatHangsUp(url)).toMatchObject({
      ended: 'rst',
      response: { bodyBytes: 3, complete: false },
    });
  });

  it('says what is not HTTP', async () => {
    const url = await saying('SSH-2.0-OpenSSH\r\n');
    expect(await clientThatHangsUp(url)).toMatchObject({
      responses: [],
      malformed: expect.stringContaining('head'),
    });
  });

  it('sees what comes after the answer, where it stays', async () => {
    const whole = `${HEAD}Content-Length: 1\r\n\r\nx`;
    const url = await saying(whole, (socket) => setTimeout(() => socket.write('late write'), 10));
    expect((await clientThatHangsUp(url)).malformed).toBeUndefined();
    expect((await clientThatHangsUp(url, { stay: 60 })).malformed).toBeDefined();
  });

  it('notes an answer to which there was no request', async () => {
    const whole = `${HEAD}Content-Length: 1\r\n\r\nx`;
    const url = await saying(whole + whole);
    expect((await clientThatHangsUp(url)).responses).toHaveLength(2);
  });

  it('gives up after its patience, and tells what it has', async () => {
    const url = await saying(`${HEAD}Content-Length: 5\r\n\r\nabc`);
    const account = await clientThatHangsUp(url, { patience: 50 });
    expect(account).toMatchObject({ ended: 'open', response: { complete: false, text: 'abc' } });
    expect(account.ms.ended).toBeGreaterThanOrEqual(49);
  });

  it('waits for the end of a connection that the server has promised', async () => {
    const url = await saying(`${HEAD}Connection: close\r\nContent-Length: 1\r\n\r\nx`, (socket) => {
      setTimeout(() => socket.end(), 20);
    });
    expect((await clientThatHangsUp(url)).ended).toBe('fin');
  });
});

describe('clientThatHangsUp(): when it leaves', () => {
  const body = 'x'.repeat(1000);
  it.each([
    ['http1', 'before-body', 'fin', 0, false],
    ['http1', 'before-body', 'rst', 0, false],
    ['http1', 'during-body', 'fin', 500, false],
    ['http1', 'during-body', 'rst', 500, false],
    ['http1', 'after-request', 'fin', 1000, true],
    ['http1', 'after-request', 'rst', 1000, true],
    ['http2', 'before-body', 'fin', 0, false],
    ['http2', 'before-body', 'rst', 0, false],
    ['http2', 'during-body', 'fin', 500, false],
    ['http2', 'during-body', 'rst', 500, false],
    ['http2', 'after-request', 'fin', 1000, true],
    ['http2', 'after-request', 'rst', 1000, true],
  ] as const)('leaves over %s %s by %s', async (protocol, leave, how, bodyBytes, bodyComplete) => {
    const upstream = await faultyUpstream({ fault: 'hang', protocol });
    const account = await clientThatHangsUp(upstream.url, { protocol, leave, how, body });
    const attempt = await upstream.nextAttempt();
    const closing = await upstream.untilClosed(attempt);
    expect(account).toMatchObject({ ended: 'we-left', responses: [] });
    expect(attempt).toMatchObject({ bodyBytes, bodyComplete, state: 'cut-by-client' });
    expect(closing.how).toBe(protocol === 'http2' && how === 'rst' ? 'stream-reset' : how);
    await upstream.close();
  });

  it.each([
    ['http1', 'fin'],
    ['http1', 'rst'],
    ['http2', 'fin'],
    ['http2', 'rst'],
  ] as const)('leaves over %s during the response by %s, after so many bytes', async (protocol, how) => {
    const upstream = await faultyUpstream({ fault: { fault: 'drip', ms: 5 }, protocol });
    const account = await clientThatHangsUp(upstream.url, {
      protocol,
      leave: 'during-response',
      how,
      bytes: 300,
    });
    const { bodyBytes, complete } = account.response!;
    expect([account.ended, complete, bodyBytes >= 300 && bodyBytes < 1000]).toEqual(['we-left', false, true]);
    expect((await upstream.untilClosed(await upstream.nextAttempt())).by).toBe('client');
    await upstream.close();
  });

  it('leaves upon the headers alone where no byte of the body is asked for', async () => {
    const url = await saying('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
    const account = await clientThatHangsUp(url, { leave: 'during-response', bytes: 0 });
    expect(account).toMatchObject({ ended: 'we-left', response: { status: 200, bodyBytes: 0 } });
  });

  it('leaves upon an event', async () => {
    const upstream = await faultyUpstream({ fault: 'hang' });
    let arrived = false;
    const account = await clientThatHangsUp(upstream.url, {
      leave: 'after-request',
      after: upstream.nextAttempt().then(() => (arrived = true)),
    });
    expect([account.ended, arrived]).toEqual(['we-left', true]);
    await upstream.close();
  });

  it('leaves after some time', async () => {
    const upstream = await faultyUpstream({ fault: 'hang' });
    const { ms } = await clientThatHangsUp(upstream.url, { leave: 'after-request', after: 40 });
    expect(ms.left! - ms.requestSent!).toBeGreaterThanOrEqual(39);
    await upstream.close();
  });

  it('says so where the answer came before it was to leave', async () => {
    const upstream = await faultyUpstream();
    const account = await clientThatHangsUp(upstream.url, { leave: 'after-request', after: 1000 });
    expect(account).toMatchObject({ ended: 'open', response: { complete: true }, ms: { left: undefined } });
    await upstream.close();
  });

  it('sends so many bytes of the body, also in a chunk', async () => {
    const upstream = await faultyUpstream({ fault: 'hang' });
    await clientThatHangsUp(upstream.url, { body, leave: 'during-body', bytes: 7, chunked: true });
    const attempt = await upstream.nextAttempt();
    await upstream.untilClosed(attempt);
    expect(attempt).toMatchObject({ bodyBytes: 7, bodyComplete: false });
    expect(attempt.headers).toMatchObject({ 'transfer-encoding': 'chunked' });
    await upstream.close();
  });

  it('half-closes and still reads the answer', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.resume().on('end', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    });
    const { url } = await listen(server);
    const account = await clientThatHangsUp(url, { leave: 'after-request', how: 'half-close' });
    expect(account.response).toMatchObject({ text: 'ok', complete: true });
  });
});

describe('clientThatHangsUp(): the rest of what a client can do', () => {
  it('sends several requests at once and keeps their answers apart', async () => {
    const app = express();
    app.use((req, res) => res.send(req.method + req.path));
    const requests = [
      { path: '/a' },
      { method: 'HEAD', path: '/b' },
      { path: '/c', body: 'x' },
      { path: '/d', body: 'x', chunked: true },
    ];
    const { responses, ended } = await clientThatHangsUp(app, { requests });
    expect(responses.map(({ text, complete }) => [text, complete])).toEqual([
      ['GET/a', true],
      ['', true],
      ['POST/c', true],
      ['POST/d', true],
    ]);
    expect(ended).toBe('open');
  });

  it('reads slowly enough for the server to feel it', async () => {
    let full = false;
    const server = createHttpServer((_req, res) => {
      full = !res.write(Buffer.alloc(8_000_000));
      res.once('drain', () => res.end());
    });
    let go = (): void => undefined;
    const readAfter = new Promise<void>((resolve) => (go = resolve));
    const client = clientThatHangsUp(server, { readAfter });
    await once(server, 'request');
    let drained = false;
    server.on('drain', () => (drained = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([full, drained]).toEqual([true, false]);
    go();
    expect((await client).response).toMatchObject({ bodyBytes: 8_000_000, complete: true });
  });

  it('pauses between the pieces that it reads', async () => {
    const server = createHttpServer((_req, res) => res.end(Buffer.alloc(300_000)));
    const { ms, response } = await clientThatHangsUp(server, { readPause: 10 });
    expect(response?.complete).toBe(true);
    expect(ms.ended - ms.firstByte!).toBeGreaterThan(20);
  });

  it('sends the headers that it is given and no others', async () => {
    const upstream = await faultyUpstream();
    await clientThatHangsUp(upstream.url, { headers: { Host: 'example.org', 'X-A': 'b' }, body: 'abc' });
    expect(upstream.attempts[0]?.headers).toEqual({ host: 'example.org', 'x-a': 'b', 'content-length': '3' });
    await upstream.close();
  });
});
