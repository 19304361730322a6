import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import net from 'node:net';
import express from 'express';
import fc from 'fast-check';
import { classifyError, gatewayErrorHandler, hangup } from 'express-hangup';
import { pathOnWire } from '../../../src/upstream/settings/target';
import { RawClient } from '../../fixtures/raw-client';
import { gate, listen, serve } from '../../fixtures/serve';
import { answers, client, scriptedUpstream, undicis, type Script } from '../scripted-upstream';

const echo: Script = (_req, res, _n, { method, url, headers, body }) => {
  res.setHeader('X-Echo', 'yes').end(JSON.stringify({ method, url, headers, body }));
};

const GONE = { code: 'CLIENT_CLOSED_REQUEST', status: 499 };

beforeEach(() => {
  jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe.each(undicis())('upstream().request() on %s', (_name, undici) => {
  it('gives status, headers and body', async () => {
    const { origin } = await scriptedUpstream(echo);
    const { statusCode, headers, body } = await client(undici, origin).request(null, '/v1/users/7?full=1');
    expect({ statusCode, echo: headers['x-echo'] }).toEqual({ statusCode: 200, echo: 'yes' });
    expect(await body.json()).toMatchObject({ method: 'GET', url: '/v1/users/7?full=1' });
  });

  it.each<[string, () => any, string, RegExp]>([
    ['a string', () => 'text', 'text', /^undefined$/],
    ['a Buffer', () => Buffer.from('bytes'), 'bytes', /^undefined$/],
    ['an ArrayBuffer', () => new TextEncoder().encode('bytes').buffer, 'bytes', /^undefined$/],
    [
      'URLSearchParams',
      () => new URLSearchParams({ a: '1', b: 'ü' }),
      'a=1&b=%C3%BC',
      /^application\/x-www-form-urlencoded/,
    ],
    ['a Node stream', () => Readable.from([Buffer.from('no'), Buffer.from('de')]), 'node', /^undefined$/],
    ['a web stream', () => new Blob(['web']).stream(), 'web', /^undefined$/],
    ['a Blob', () => new Blob(['blob'], { type: 'text/csv' }), 'blob', /^text\/csv$/],
  ])('sends %s as a body', async (_what, body, content, type) => {
    const { origin } = await scriptedUpstream(echo);
    const response = await client(undici, origin).request(null, '/', { method: 'POST', body: body() });
    const seen: any = await response.body.json();
    expect(seen.body).toBe(content);
    expect(String(seen.headers['content-type'])).toMatch(type);
  });

  it("sends Node's FormData as a form", async () => {
    const { origin } = await scriptedUpstream(echo);
    const form = new FormData();
    form.append('name', 'Ada');
    const { body } = await client(undici, origin).request(null, '/', { method: 'POST', body: form });
    const seen: any = await body.json();
    expect(seen.body).toContain('name="name"\r\n\r\nAda\r\n');
    expect(seen.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
  });

  it.each<[string, any]>([
    ['an object', { 'X-Test': '1' }],
    ['pairs', [['x-test', '1']]],
    ["Node's Headers", new Headers({ 'x-test': '1' })],
  ])('takes headers as %s, and leaves them as they are', async (_what, headers) => {
    const { origin } = await scriptedUpstream(echo);
    const before = JSON.stringify([headers, [...new Headers(headers)]]);
    const users = client(undici, origin, { attempt: 1000 });
    const seen: any = await (await users.request(null, '/', { headers })).body.json();
    expect(seen.headers).toMatchObject({ 'x-test': '1', 'x-request-timeout-ms': '990' });
    expect(JSON.stringify([headers, [...new Headers(headers)]])).toBe(before);
  });

  it.each([
    ['5', '5'],
    ['5000', '990'],
    ['soon', '990'],
  ])("tells the upstream the shorter of its time and the caller's own %s", async (said, told) => {
    const { origin } = await scriptedUpstream(echo);
    const users = client(undici, origin, { attempt: 1000 });
    const seen: any = await (
      await users.request(null, '/', { headers: { 'X-REQUEST-Timeout-ms': said } })
    ).body.json();
    expect(seen.headers['x-request-timeout-ms']).toBe(told);
  });

  it.each<[object, RegExp]>([
    [{ header: {} }, /request\(\): there is no option "header"\. Did you mean "headers"\?/],
    [{ redirect: 'follow' }, /there is no option "redirect"/],
    [{ retries: -1 }, /option "retries" is -1/],
    [{ idempotent: 'no' }, /option "idempotent" is the string 'no'/],
    [{ headers: { 'a b': 'c' } }, /header/],
    [{ headers: { a: 'b\r\nc: d' } }, /header/],
    [{ method: 'GE T' }, /method/],
  ])('refuses %j, and sends nothing', async (options, message) => {
    const { origin, opened } = await scriptedUpstream(answers.ok);
    await expect(client(undici, origin).request(null, '/', options)).rejects.toThrow(message);
    expect(opened).toBe(0);
  });

  it('hands redirects over, and what is compressed as it came', async () => {
    const { origin } = await scriptedUpstream((_req, res) =>
      res.writeHead(302, { Location: 'http://elsewhere.example/', 'Content-Encoding': 'x' }).end('raw'),
    );
    const { statusCode, headers, body } = await client(undici, origin).request(null, '/');
    expect({ statusCode, to: headers.location }).toEqual({
      statusCode: 302,
      to: 'http://elsewhere.example/',
    });
    expect(await body.text()).toBe('raw');
  });

  it.each([
    ['GET', 3],
    ['POST', 1],
  ])('sends a %s %i times to an upstream that resets or answers 503', async (method, expected) => {
    for (const fault of ['reset', 503] as const) {
      const { origin, hits } = await scriptedUpstream(answers[fault]);
      const outcome = await client(undici, origin)
        .request(null, '/', { method })
        .then(
          ({ statusCode }) => statusCode,
          (error: unknown) => classifyError(error)?.code,
        );
      expect([hits.length, outcome]).toEqual([expected, fault === 503 ? 503 : 'UPSTREAM_RESET']);
    }
  });

  it('takes an Idempotency-Key for what it is, in whatever case', async () => {
    const { origin, hits } = await scriptedUpstream(answers[503]);
    await client(undici, origin).request(null, '/', {
      method: 'POST',
      headers: { 'IDEMPOTENCY-Key': '8e03' },
    });
    expect(hits).toHaveLength(3);
  });

  it('is rejected with an error that names the call, and keeps the code', async () => {
    const { origin } = await scriptedUpstream(answers.reset);
    const error: any = await client(undici, origin)
      .request(null, '/', { method: 'POST' })
      .catch((e: unknown) => e);
    expect(error.message).toMatch(`(POST ${origin}, attempt 1)`);
    expect(error.code).toBe(error.cause.code);
    expect(classifyError(error)).toMatchObject({
      code: 'UPSTREAM_RESET',
      upstream: { origin, phase: 'waiting', attempt: 1, reusedSocket: false, requestsOnSocket: 1 },
    });
    expect(classifyError(error)?.upstream).not.toHaveProperty('idleMs');
  });

  /** An app whose one route reads `/` from the upstream, and tells how that ended. */
  async function app(
    origin: string,
    deadline: number | false = false,
  ): Promise<{ port: number; error: Promise<any> }> {
    const error = gate<any>();
    const users = client(undici, origin);
    const server = express().set('env', 'test');
    server.use(hangup({ deadline }));
    server.get('/', async (req, res) => {
      try {
        res.end(await (await users.request(req, '/')).body.text());
      } catch (thrown) {
        error.open(thrown);
        throw thrown;
      }
    });
    server.use(gatewayErrorHandler());
    return { port: (await serve(server)).port, error: error.promise };
  }

  it('rejects with the reason when the client leaves before the headers, and closes the socket', async () => {
    const upstream = await scriptedUpstream(answers.silence);
    const { port, error } = await app(upstream.origin);
    const visitor = (await RawClient.connect(port)).request('/');
    await upstream.arrived(1);
    visitor.leave('fin');
    expect(await error).toMatchObject(GONE);
    await upstream.empty();
  });

  it('rejects the reading of the body with the reason, and closes the socket', async () => {
    const upstream = await scriptedUpstream((_req, res) => res.write('first'));
    const { port, error } = await app(upstream.origin);
    const visitor = (await RawClient.connect(port)).request('/');
    await upstream.arrived(1);
    await new Promise(setImmediate);
    visitor.leave('rst');
    expect(await error).toMatchObject(GONE);
    await upstream.empty();
  });

  it('rejects with the deadline, and the app answers 504', async () => {
    const upstream = await scriptedUpstream(answers.silence);
    const { port, error } = await app(upstream.origin, 50);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(504);
    expect(await error).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await upstream.empty();
  });

  it('is never sent when it is given up while it waits for a connection to be free', async () => {
    const answer = gate<() => void>();
    const upstream = await scriptedUpstream((req, res, n) => {
      if (n === 1) answer.open(() => res.end());
      else answers.ok(req, res);
    });
    const users = client(undici, upstream.origin, { connections: 1 });
    const first = users.request(null, '/first');
    const release = await answer.promise;
    const controller = new AbortController();
    const given = users.request(null, '/given-up', { signal: controller.signal });
    controller.abort('never mind');
    await expect(given).rejects.toBe('never mind');
    release();
    await (await first).body.text();
    await (await users.request(null, '/next')).body.text();
    expect(upstream.hits.map(({ url }) => url)).toEqual(['/first', '/next']);
    expect(upstream.opened).toBe(1);
    expect(users.stats().endpoints[0]).toMatchObject({ inFlight: 0 });
  });

  it('closes the socket of a call that is given up while it connects', async () => {
    const accepted = gate<net.Socket>();
    const { port } = await listen(net.createServer((socket) => accepted.open(socket)) as never);
    const controller = new AbortController();
    const call = client(undici, `https://127.0.0.1:${port}`).request(null, '/', {
      signal: controller.signal,
    });
    const socket = await accepted.promise;
    const closed = new Promise((resolve) => socket.on('error', () => undefined).on('close', resolve));
    socket.resume();
    controller.abort('never mind');
    await expect(call).rejects.toBe('never mind');
    await closed;
  });
});

describe('the path of request()', () => {
  it.each([
    ['/a/../b', '/b'],
    ['/a/%2e%2E/b', '/b'],
    ['/a b/ü?q=ü b#part', '/a%20b/%C3%BC?q=%C3%BC%20b'],
    ['/v1/users/7?full=1&x[]=2', '/v1/users/7?full=1&x[]=2'],
    ["/it's?it's", "/it's?it%27s"],
  ])('is sent for %s as %s', (path, sent) => {
    expect(pathOnWire(path)).toBe(sent);
  });

  it('is what fetch makes of it, whatever it is made of', () => {
    const parts = fc.constantFrom(
      ...[
        '/',
        '.',
        '..',
        '%2e',
        '%2E%2e',
        '?',
        '#',
        '@',
        ':',
        ' ',
        '"',
        "'",
        '<',
        '`',
        '{',
        '|',
        '^',
        '[',
        '%',
        'ü',
        'a',
        '~',
      ],
    );
    fc.assert(
      fc.property(fc.array(parts), (list) => {
        const path = `/a${list.join('')}`;
        const { pathname, search } = new URL(`http://127.0.0.1${path}`);
        expect(pathOnWire(path)).toBe(pathname + search);
      }),
      { numRuns: 3000 },
    );
  });
});

describe.each(undicis())('the Content-Length that a caller gives, on %s', (_name, undici) => {
  async function* two(): AsyncGenerator<Buffer> {
    yield Buffer.from('hello');
    // Long enough for the upstream to answer, should it take what it has for the whole.
    await sleep(100);
    yield Buffer.from('world');
  }

  async function send(kind: 'fetch' | 'request', length: string, body: any): Promise<[number, string[]]> {
    const { origin, hits } = await scriptedUpstream(echo);
    const users = client(undici, origin);
    const init = { method: 'POST', headers: { 'Content-Length': length }, body };
    const status =
      kind === 'fetch'
        ? (await users.fetch(null, '/', init)).status
        : (await users.request(null, '/', init)).statusCode;
    return [status, hits.map(({ body: content }) => content)];
  }

  it.each(['fetch', 'request'] as const)('may be right, by %s()', async (kind) => {
    expect(await send(kind, '10', 'helloworld')).toEqual([200, ['helloworld']]);
    expect(await send(kind, '10', two())).toEqual([200, ['helloworld']]);
  });

  it.each(['5', '20'])('does not matter to fetch() where the length is known: %s', async (length) => {
    expect(await send('fetch', length, 'helloworld')).toEqual([200, ['helloworld']]);
  });

  it.each([
    ['fetch', '5', /longer than its Content-Length of 5/],
    ['fetch', '9', /longer than its Content-Length of 9/],
    ['fetch', '20', /length does not match/],
    ['request', '5', /length|longer/],
    ['request', '20', /length does not match/],
  ] as const)(
    'fails a stream by %s() where it is %s: no part passes for the whole',
    async (kind, length, message) => {
      const error: any = await send(kind, length, two()).catch((e: unknown) => e);
      expect(`${error.message} ${error.cause?.message}`).toMatch(message);
    },
  );

  it.each(['fetch', 'request'] as const)(
    'leaves a source that fails to be the error of %s()',
    async (kind) => {
      const source = async function* (): AsyncGenerator<Buffer> {
        yield Buffer.from('hello');
        throw new Error('the disk is gone');
      };
      const error: any = await send(kind, '10', source()).catch((e: unknown) => e);
      expect(`${error.message} ${error.cause?.message}`).toMatch(/the disk is gone/);
    },
  );
});
