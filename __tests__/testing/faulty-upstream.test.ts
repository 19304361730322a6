import { once } from 'node:events';
import { Agent, get, request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { text } from 'node:stream/consumers';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import {
  clientThatHangsUp,
  FAULTS,
  faultyUpstream,
  type FaultName,
  type FaultyUpstream,
  type FaultyUpstreamOptions,
} from 'express-hangup/testing';

let upstream: FaultyUpstream;

async function start(options?: FaultyUpstreamOptions): Promise<FaultyUpstream> {
  upstream = await faultyUpstream(options);
  return upstream;
}

afterEach(() => upstream.close());

interface Seen {
  text: string;
  ended: 'fin' | 'rst' | 'open';
}

/** What comes back for one request, once it is what is wanted, and then for a moment more to see that nothing follows. */
async function seenUntil(path: string, wanted: Seen['ended'], text: string | RegExp): Promise<Seen> {
  const socket = connect({ port: upstream.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const seen: Seen = { text: '', ended: 'open' };
  socket.on('data', (bytes) => (seen.text += bytes.toString('latin1')));
  socket.on('end', () => (seen.ended = 'fin'));
  socket.on('error', () => (seen.ended = 'rst'));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: upstream\r\n\r\n`);
  await upstream.nextAttempt();
  const matches = (): boolean => (typeof text === 'string' ? seen.text === text : text.test(seen.text));
  for (let i = 0; i < 500 && !(matches() && seen.ended === wanted); i++) await sleep(5);
  await sleep(20);
  socket.destroy();
  return seen;
}

function like(text: string | RegExp): unknown {
  return typeof text === 'string' ? text : expect.stringMatching(text);
}

const JSON_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const HALF = `"${'x'.repeat(499)}`;
const WHOLE = `"${'x'.repeat(998)}"`;
const TORN = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Le';

const BYTES: Record<Exclude<FaultName, 'goaway'>, [ended: 'fin' | 'rst' | 'open', text: string | RegExp]> = {
  ok: ['open', `${JSON_HEAD}content-length: 11\r\n\r\n{"ok":true}`],
  slow: ['open', `${JSON_HEAD}content-length: 11\r\n\r\n{"ok":true}`],
  drip: [
    'open',
    /^HTTP\/1.1 200 OK\r\n.*transfer-encoding: chunked\r\n\r\n64\r\n"x{99}\r\n(64\r\nx{100}\r\n){8}64\r\nx{99}"\r\n0\r\n\r\n$/s,
  ],
  status: [
    'open',
    'HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"ok":true}',
  ],
  unavailable: [
    'open',
    /^HTTP\/1.1 503 Service Unavailable\r\n.*retry-after: 1\r\ncontent-length: 11\r\n\r\n{"ok":true}$/s,
  ],
  hang: ['open', ''],
  'hang-headers': ['open', TORN],
  'hang-body': ['open', `${JSON_HEAD}content-length: 1000\r\n\r\n${HALF}`],
  reset: ['rst', ''],
  'reset-headers': ['rst', TORN],
  'reset-body': ['rst', `${JSON_HEAD}content-length: 1000\r\n\r\n${HALF}`],
  'reset-chunk': ['rst', `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n1f4\r\n${HALF}\r\n`],
  close: ['fin', ''],
  'close-headers': ['fin', TORN],
  'close-body': ['fin', `${JSON_HEAD}content-length: 1000\r\n\r\n${HALF}`],
  'close-chunk': ['fin', `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n1f4\r\n${HALF}\r\n`],
  garbage: ['open', '220 mail.example ESMTP ready\r\n'],
  'bad-status': ['open', 'HTTP/1.1 xxx Nonsense\r\nContent-Length: 0\r\n\r\n'],
  'bad-chunk': ['open', /chunked\r\n\r\n5\r\nhello\r\nZZ\r\n/],
  'header-overflow': ['open', /^HTTP\/1.1 200 OK\r\n(X-Filler-\d+: x{1000}\r\n){100}\r\n$/],
  'two-lengths': ['open', /Content-Length: 2\r\nContent-Length: 5\r\n\r\nhello$/],
  'long-length': ['open', `${JSON_HEAD}content-length: 1010\r\n\r\n${WHOLE}`],
  'short-length': ['open', `${JSON_HEAD}content-length: 990\r\n\r\n${WHOLE}`],
  raw: ['open', '{"ok":true}'],
  'idle-close': ['fin', `${JSON_HEAD}content-length: 11\r\n\r\n{"ok":true}`],
  stale: ['open', `${JSON_HEAD}content-length: 11\r\n\r\n{"ok":true}`],
};

describe('faultyUpstream(): what is on the wire', () => {
  it.each(Object.entries(BYTES).filter(([name]) => name !== 'stale'))(
    'plays %s',
    async (name, [ended, text]) => {
      await start();
      const settings = name === 'slow' ? '?ms=5' : name === 'drip' ? '?ms=1' : '';
      const seen = await seenUntil(`/${name}${settings}`, ended, text);
      expect(seen).toEqual({ text: like(text), ended });
    },
  );

  it('has a row of this test for every fault of HTTP/1.1', () => {
    const onHttp1 = Object.entries(FAULTS).filter(([, { http1 }]) => http1);
    expect(Object.keys(BYTES)).toEqual(onHttp1.map(([name]) => name));
  });
});

describe('faultyUpstream(): the keep-alive race', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  afterEach(() => agent.destroy());

  function ask(path: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const req = get(`${upstream.url}${path}`, { agent }, (res) => {
        res.resume().on('end', () => resolve(res.statusCode ?? 0));
      });
      req.on('error', (error) => reject(Object.assign(error, { reused: req.reusedSocket })));
    });
  }

  it.each(['fin', 'rst'])(
    'closes a kept connection by %s exactly when the next request arrives on it',
    async (how) => {
      await start();
      expect(await ask(`/stale?how=${how}`)).toBe(200);
      expect(upstream.sockets).toBe(1);
      await expect(ask('/users')).rejects.toMatchObject({ code: 'ECONNRESET', reused: true });
      expect(upstream.attempts).toMatchObject([
        { id: 1, requestOnSocket: 1, state: 'answered', socketId: 1 },
        { id: 2, path: '/users', requestOnSocket: 2, state: 'cut-by-upstream', socketId: 1, closed: { how } },
      ]);
    },
  );

  it('never closes it before the next request comes', async () => {
    await start();
    await ask('/stale');
    await sleep(50);
    expect(upstream.sockets).toBe(1);
  });

  it('drops an idle connection at the age that is asked for, unless a request came in time', async () => {
    await start();
    await ask('/idle-close?ms=200');
    await ask('/ok');
    await sleep(220);
    expect(upstream.sockets).toBe(1);
    const now = performance.now();
    await ask('/idle-close?ms=30');
    const closing = await upstream.untilClosed(upstream.connections[0]!);
    expect(closing).toMatchObject({ by: 'upstream', how: 'fin' });
    expect(closing.at - now).toBeGreaterThanOrEqual(29);
  });
});

describe('faultyUpstream(): how a fault is chosen', () => {
  const status = async (path: string, headers: Record<string, string> = {}): Promise<unknown> => {
    const { response, ended } = await clientThatHangsUp(upstream.url, { path, headers });
    return response?.status ?? ended;
  };

  it('follows the path, anywhere in it', async () => {
    await start();
    expect(await status('/api/v1/status?status=418&page=2')).toBe(418);
    expect(await status('/users/7')).toBe(200);
  });

  it('follows the header before all else', async () => {
    await start({ fault: 'hang' });
    expect(await status('/reset', { 'x-fault': 'status; status=502' })).toBe(502);
  });

  it('follows a script, of which the last entry stays', async () => {
    await start({ fault: ['reset', { fault: 'status', status: 503 }, 'ok'] });
    const seen = [await status('/'), await status('/hang'), await status('/'), await status('/')];
    expect(seen).toEqual(['rst', 503, 200, 200]);
  });

  it('follows a function, which may leave it to the path', async () => {
    await start({ fault: ({ method }) => (method === 'POST' ? 'close' : undefined) });
    const { ended } = await clientThatHangsUp(upstream.url, { method: 'POST' });
    expect([ended, await status('/status')]).toEqual(['fin', 500]);
  });

  it('fails so many times and then succeeds, for each path on its own', async () => {
    await start();
    const seen = [];
    for (const path of ['/a/reset?times=2', '/a/reset?times=2', '/b/reset?times=2', '/a/reset?times=2']) {
      seen.push(await status(path));
    }
    expect(seen).toEqual(['rst', 'rst', 'rst', 200]);
  });

  it('can be told anew at any time', async () => {
    await start({ fault: 'reset' });
    expect(await status('/')).toBe('rst');
    upstream.use('ok');
    expect(await status('/')).toBe(200);
    upstream.use(undefined);
    expect(await status('/status')).toBe(500);
  });

  it.each([
    [{ fault: 'rset' }, /no fault "rset"/],
    [{ fault: ['ok', 'refuse'] }, /refuse\(\)/],
    [{ fault: [] }, /at least one/],
    [{ fault: { fault: 'slow', delay: 1 } }, /no setting "delay"/],
    [{ protocol: 'http2', fault: 'garbage' }, /no fault "garbage" on HTTP\/2/],
    [{ fault: 'goaway' }, /no fault "goaway" on HTTP\/1.1/],
    [{ protokol: 'http2' }, /no option "protokol"/],
    [{ tls: 'bad' }, /tls is "bad"/],
    [{ patience: '5' }, /patience is "5"/],
  ])('refuses %j', async (options, words) => {
    await start();
    await expect(faultyUpstream(options as FaultyUpstreamOptions)).rejects.toThrow(words);
  });

  it.each(['rset', 'slow; delay=5', 'slow; ms=soon', 'garbage; how=up'])(
    'answers the header "x-fault: %s" with 501 and says why',
    async (header) => {
      await start();
      const { response } = await clientThatHangsUp(upstream.url, { headers: { 'x-fault': header } });
      expect(response).toMatchObject({ status: 501, text: expect.stringContaining('TypeError') });
    },
  );

  it('waits for a promise in place of a time', async () => {
    let go = (): void => undefined;
    await start({ fault: { fault: 'slow', until: new Promise<void>((resolve) => (go = resolve)) } });
    const answer = status('/');
    const attempt = await upstream.nextAttempt();
    expect(attempt.state).toBe('running');
    go();
    expect(await answer).toBe(200);
  });

  it('acts before the body has come where it is told to be early', async () => {
    await start({ fault: { fault: 'status', status: 413, early: true } });
    const { response } = await clientThatHangsUp(upstream.url, {
      method: 'POST',
      headers: { 'Content-Length': '9' },
    });
    expect(response?.status).toBe(413);
    expect(upstream.attempts[0]).toMatchObject({ bodyComplete: false });
  });
});

describe('faultyUpstream(): what it remembers', () => {
  it('counts the bytes of a body while they come', async () => {
    await start({ fault: 'hang' });
    const req = request(upstream.url, {
      method: 'PUT',
      path: '/x?y=1',
      headers: { 'x-a': 'b', 'content-length': 6 },
    });
    req.on('error', () => undefined);
    req.write('abc');
    const attempt = await upstream.nextAttempt();
    expect(attempt).toMatchObject({
      id: 1,
      method: 'PUT',
      path: '/x?y=1',
      httpVersion: '1.1',
      fault: 'hang',
    });
    expect(attempt.headers).toMatchObject({ 'x-a': 'b' });
    expect(attempt.bodyComplete).toBe(false);
    req.end('def');
    while (!attempt.bodyComplete) await new Promise(setImmediate);
    expect(attempt.bodyBytes).toBe(6);
    req.destroy();
    expect(await upstream.untilClosed(attempt)).toMatchObject({ by: 'client', how: 'fin' });
    expect(attempt.state).toBe('cut-by-client');
  });

  it('tells a client that resets from one that closes', async () => {
    await start({ fault: 'hang' });
    await clientThatHangsUp(upstream.url, { leave: 'after-request', how: 'rst' });
    expect(await upstream.untilClosed(await upstream.nextAttempt())).toMatchObject({
      by: 'client',
      how: 'rst',
    });
  });

  it('knows how old and how idle a connection was when a request came', async () => {
    await start();
    const requests = [{ path: '/slow?ms=20' }, { path: '/ok' }];
    await clientThatHangsUp(upstream.url, { requests });
    const [first, second] = upstream.attempts;
    expect(second).toMatchObject({ socketId: 1, requestOnSocket: 2 });
    expect(second!.socketAge).toBeGreaterThanOrEqual(first!.socketAge);
    expect(second!.socketIdle).toBeLessThanOrEqual(second!.socketAge);
    expect(upstream.connections).toMatchObject([{ id: 1, requests: 2 }]);
  });

  it('answers pipelined requests in their order', async () => {
    await start();
    const requests = [
      { path: '/slow?ms=20' },
      { path: '/status?status=404' },
      { method: 'HEAD', path: '/drip?ms=1' },
    ];
    const { responses } = await clientThatHangsUp(upstream.url, { requests });
    expect(responses.map(({ status, complete }) => [status, complete])).toEqual([
      [200, true],
      [404, true],
      [200, true],
    ]);
  });

  it('asks for the body of a client that expects 100 Continue', async () => {
    await start();
    const { response } = await clientThatHangsUp(upstream.url, {
      headers: { Expect: '100-continue' },
      body: 'x',
    });
    expect(response).toMatchObject({ status: 200, interim: [100] });
  });

  it('closes after the answer where the client asks for it', async () => {
    await start();
    const { ended, response } = await clientThatHangsUp(upstream.url, { headers: { Connection: 'close' } });
    expect([ended, response?.complete]).toEqual(['fin', true]);
  });

  it('gives each attempt to one waiter, also one that came before', async () => {
    await start();
    const early = upstream.nextAttempt();
    for (const path of ['/1', '/2', '/3']) await clientThatHangsUp(upstream.url, { path });
    const given = await Promise.all([early, upstream.nextAttempt(), upstream.nextAttempt()]);
    expect(given.map(({ path }) => path)).toEqual(['/1', '/2', '/3']);
  });

  it('gives a new test the attempts of its own', async () => {
    await start();
    await clientThatHangsUp(upstream.url, { path: '/before' });
    upstream.use('ok');
    const next = upstream.nextAttempt();
    upstream.use('status');
    await clientThatHangsUp(upstream.url, { path: '/after' });
    expect((await next).path).toBe('/after');
  });

  it('gives the next request for a path, whichever came before it, and each of them once', async () => {
    await start();
    const second = upstream.nextAttempt('/b');
    await clientThatHangsUp(upstream.url, { requests: [{ path: '/a' }, { path: '/b' }, { path: '/b?x' }] });
    expect((await second).id).toBe(2);
    expect((await upstream.nextAttempt()).path).toBe('/a');
    expect((await upstream.nextAttempt()).path).toBe('/b?x');
    upstream.use('ok');
    await clientThatHangsUp(upstream.url, { path: '/b' });
    expect((await upstream.nextAttempt('/b')).id).toBe(4);
  });

  it('tells when a request is over, and how, also where its connection stays open', async () => {
    await start({ fault: [{ fault: 'slow', ms: 20 }, 'reset', 'hang'] });
    const [one, two] = [clientThatHangsUp(upstream.url), clientThatHangsUp(upstream.url)];
    const [first, second] = [await upstream.nextAttempt(), await upstream.nextAttempt()];
    expect(await upstream.untilOver(first)).toBe('answered');
    expect(await upstream.untilOver(second)).toBe('cut-by-upstream');
    await Promise.all([one, two]);
    const third = upstream.nextAttempt();
    await clientThatHangsUp(upstream.url, { leave: 'after-request', after: third });
    expect(await upstream.untilOver(await third)).toBe('cut-by-client');
  });

  it('sends the rest of a dripping answer when a promise says so', async () => {
    let release: () => void = () => undefined;
    const until = new Promise<void>((resolve) => (release = resolve));
    await start({ fault: { fault: 'drip', chunks: 2, until, body: 'begun whole' } });
    const half = await clientThatHangsUp(upstream.url, { leave: 'during-response', bytes: 6 });
    expect(half.response).toMatchObject({ text: 'begun ', complete: false });
    const whole = clientThatHangsUp(upstream.url);
    await upstream.nextAttempt();
    release();
    expect((await whole).response).toMatchObject({ text: 'begun whole', complete: true });
  });

  it('forgets what is over, and keeps what is not', async () => {
    await start();
    await clientThatHangsUp(upstream.url, { path: '/ok' });
    const hanging = clientThatHangsUp(upstream.url, {
      path: '/hang',
      leave: 'after-request',
      after: upstream.allClosed(),
    });
    while (upstream.attempts.length < 2) await sleep(2);
    upstream.forget();
    expect(upstream.attempts.map(({ id, path }) => [id, path])).toEqual([[2, '/hang']]);
    const next = upstream.nextAttempt();
    await clientThatHangsUp(upstream.url, { path: '/third' });
    expect(await next).toMatchObject({ id: 3, path: '/third' });
    await upstream.close();
    await hanging;
  });

  it('says for what it has waited in vain', async () => {
    await start({ patience: 20 });
    await expect(upstream.nextAttempt()).rejects.toThrow('Waited 20 ms in vain for another attempt.');
    await expect(upstream.nextAttempt('/b')).rejects.toThrow(
      'Waited 20 ms in vain for another attempt for /b.',
    );
  });

  it('tells those who still wait that it is closed', async () => {
    await start();
    const waiting = upstream.nextAttempt();
    await Promise.all([upstream.close(), expect(waiting).rejects.toThrow('closed')]);
    await expect(upstream.nextAttempt()).rejects.toThrow('closed');
  });

  it('waits until nothing is running and until all is closed', async () => {
    await start({ fault: { fault: 'slow', ms: 20 } });
    const client = clientThatHangsUp(upstream.url);
    await upstream.nextAttempt();
    await upstream.idle();
    expect(upstream.attempts[0]?.state).toBe('answered');
    await client;
    await upstream.allClosed();
    expect(upstream.sockets).toBe(0);
  });
});

describe('faultyUpstream(): connections that are refused', () => {
  it('refuses them until it accepts again, on the same port', async () => {
    await start();
    const { port } = upstream;
    const kept = connect(port, '127.0.0.1');
    await once(kept, 'connect');
    await Promise.all([upstream.refuse(), once(kept, 'close')]);
    await expect(clientThatHangsUp(upstream.url)).rejects.toThrow('ECONNREFUSED');
    await upstream.accept();
    expect((await clientThatHangsUp(upstream.url)).response?.status).toBe(200);
    expect(upstream.port).toBe(port);
  });
});

describe('faultyUpstream(): TLS', () => {
  function handshake(options: object = {}): Promise<string> {
    return new Promise((resolve) => {
      const socket = connectTls({ port: upstream.port, host: '127.0.0.1', ...options }, () => {
        resolve('secure');
        socket.destroy();
      });
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  }

  it('is accepted by a client that trusts its authority', async () => {
    await start({ tls: 'trusted' });
    expect(upstream.url).toMatch(/^https:/);
    expect(await handshake({ ca: upstream.ca })).toBe('secure');
    expect(await handshake()).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it.each([
    ['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['expired', 'CERT_HAS_EXPIRED'],
    ['wrong-name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['reset', 'ECONNRESET'],
  ] as const)('shows a client the handshake %s', async (tls, code) => {
    await start({ tls });
    expect(await handshake({ ca: upstream.ca })).toBe(code);
  });

  it('can hang in the handshake', async () => {
    await start({ tls: 'hang' });
    const socket = connectTls({ port: upstream.port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    while ((upstream.connections[0]?.bytesReceived ?? 0) === 0 && upstream.sockets === 0)
      await new Promise(setImmediate);
    expect(upstream.connections).toHaveLength(1);
    socket.destroy();
  });

  it.each(['reset-body', 'close-body', 'hang-body', 'garbage', 'stale'])('plays %s', async (name) => {
    await start({ tls: 'trusted' });
    const { response, ended } = await clientThatHangsUp(upstream.url, {
      path: `/${name}`,
      patience: name === 'hang-body' ? 500 : 5000,
    });
    const [status, bytes, end] = {
      'reset-body': [200, 500, 'rst'],
      'close-body': [200, 500, 'fin'],
      'hang-body': [200, 500, 'open'],
      garbage: [undefined, undefined, 'open'],
      stale: [200, 11, 'open'],
    }[name]!;
    expect([response?.status, response?.bodyBytes, ended]).toEqual([status, bytes, end]);
  });
});

describe('faultyUpstream(): HTTP/2', () => {
  it.each([
    ['ok', 200, 11, true, 'open'],
    ['slow', 200, 11, true, 'open'],
    ['drip', 200, 1000, true, 'open'],
    ['status', 500, 11, true, 'open'],
    ['hang', undefined, undefined, undefined, 'open'],
    ['hang-body', 200, 500, false, 'open'],
    ['reset', undefined, undefined, undefined, 'rst'],
    ['reset-body', 200, 500, false, 'rst'],
    ['reset-chunk', 200, 500, false, 'rst'],
    ['close', undefined, undefined, undefined, 'fin'],
    ['close-body', 200, 500, false, 'fin'],
    ['close-chunk', 200, 500, false, 'fin'],
  ])('plays %s', async (name, status, bytes, complete, ended) => {
    await start({ protocol: 'http2' });
    const account = await clientThatHangsUp(upstream.url, {
      path: `/${name}`,
      protocol: 'http2',
      // What ends is waited for, however busy the machine is.
      patience: name.startsWith('hang') ? 300 : 5000,
    });
    const { response } = account;
    expect([response?.status, response?.bodyBytes, response?.complete, account.ended]).toEqual([
      status,
      bytes,
      complete,
      ended,
    ]);
  });

  it('tells streams of one connection apart', async () => {
    await start({ protocol: 'http2', tls: 'trusted' });
    const session = connectHttp2(upstream.url, { ca: upstream.ca });
    const one = session.request({ ':path': '/hang' });
    one.on('error', () => undefined);
    const first = await upstream.nextAttempt();
    session.request({ ':path': '/ok' }).resume();
    const second = await upstream.nextAttempt();
    one.close(8);
    expect(await upstream.untilClosed(first)).toMatchObject({ by: 'client', how: 'stream-reset' });
    expect(second).toMatchObject({ socketId: 1, requestOnSocket: 2, httpVersion: '2', closed: undefined });
    session.destroy();
    expect(await upstream.untilClosed(upstream.connections[0]!)).toMatchObject({ by: 'client' });
  });

  it('refuses a request by GOAWAY, and lets the others on the connection finish', async () => {
    await start({ protocol: 'http2' });
    const session = connectHttp2(upstream.url);
    const told = once(session, 'goaway');
    const slow = session.request({ ':path': '/slow?ms=50' });
    await upstream.nextAttempt();
    const refused = session.request({ ':path': '/goaway' });
    const [error] = (await once(refused.resume(), 'error')) as [Error];
    expect(error.message).toContain('REFUSED_STREAM');
    const [code, lastProcessed] = (await told) as number[];
    expect([code, lastProcessed]).toEqual([0, slow.id]);
    expect(await text(slow)).toBe('{"ok":true}');
    expect(upstream.attempts.map(({ state }) => state)).toEqual(['answered', 'cut-by-upstream']);
    await upstream.allClosed();
  });

  it('sees that a client has gone that resets its stream with the code of an orderly end', async () => {
    await start({ protocol: 'http2' });
    const session = connectHttp2(upstream.url);
    const stream = session.request({ ':path': '/hang', ':method': 'POST' });
    stream.write('half');
    const attempt = await upstream.nextAttempt();
    stream.close(0);
    expect(await upstream.untilClosed(attempt)).toMatchObject({ by: 'client', how: 'stream-reset' });
    session.destroy();
  });

  it('tells a client that speaks HTTP/2 to an upstream of HTTP/1 from a request', async () => {
    await start({});
    const session = connectHttp2(upstream.url);
    session.request().on('error', () => undefined);
    const preface = await upstream.nextAttempt();
    await once(session, 'error');
    expect(preface).toMatchObject({ method: 'PRI', path: '*' });
    expect(await upstream.untilOver(preface)).toBe('cut-by-upstream');
    expect(upstream.attempts).toHaveLength(1);
  });

  it('answers a fault that it cannot play with 501', async () => {
    await start({ protocol: 'http2' });
    const { response } = await clientThatHangsUp(upstream.url, { path: '/garbage', protocol: 'http2' });
    expect(response).toMatchObject({ status: 501, text: expect.stringContaining('on HTTP/2') });
  });
});
