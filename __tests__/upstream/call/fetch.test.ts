import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import express from 'express';
import { classifyError } from 'express-hangup';
import { TEST_CA, TEST_CERTIFICATES, TEST_KEY } from '../../../src/testing/upstream/test-certificates';
import { gate, listen, serve } from '../../fixtures/serve';
import { answers, client, scriptedUpstream, undicis, type Script } from '../scripted-upstream';

const echo: Script = (req, res, _n, { method, url, headers, body }) => {
  res.setHeader('X-Echo', 'yes').end(JSON.stringify({ method, url, headers, body }));
};

describe.each(undicis())('upstream().fetch() on %s', (_name, undici) => {
  async function echoing(): Promise<(path: string, init?: any) => Promise<any>> {
    const { origin } = await scriptedUpstream(echo);
    const users = client(undici, origin);
    return async (path, init) => (await users.fetch(null, path, init)).json();
  }

  it('gives a WHATWG Response', async () => {
    const { origin } = await scriptedUpstream(echo);
    const response = await client(undici, origin).fetch(null, '/v1/users/7?full=1');
    expect(response).toMatchObject({
      status: 200,
      ok: true,
      redirected: false,
      url: `${origin}/v1/users/7?full=1`,
    });
    expect(response.headers.get('x-echo')).toBe('yes');
    expect(await response.json()).toMatchObject({ method: 'GET', url: '/v1/users/7?full=1' });
  });

  it('can be taken out of the client as a function', async () => {
    const { origin } = await scriptedUpstream(echo);
    const { fetch } = client(undici, origin);
    expect((await fetch(null, '/')).status).toBe(200);
  });

  it.each([['get'], ['HEAD'], ['OPTIONS'], ['PUT'], ['DELETE'], ['POST'], ['PATCH']])(
    'sends %s',
    async (method) => {
      const { origin, hits } = await scriptedUpstream(echo);
      await client(undici, origin).fetch(null, '/', { method });
      expect(hits).toEqual([expect.objectContaining({ method: method.toUpperCase() })]);
    },
  );

  const form = (): FormData => {
    const data = new FormData();
    data.append('name', 'Ada');
    data.append('file', new Blob(['content']), 'a.txt');
    return data;
  };

  it.each<[string, () => any, RegExp, RegExp]>([
    ['a string', () => 'text', /^text$/, /^text\/plain/],
    ['a Buffer', () => Buffer.from('bytes'), /^bytes$/, /^$/],
    ['an ArrayBuffer', () => new TextEncoder().encode('bytes').buffer, /^bytes$/, /^$/],
    ['a Blob', () => new Blob(['blob'], { type: 'text/csv' }), /^blob$/, /^text\/csv$/],
    [
      'URLSearchParams',
      () => new URLSearchParams({ a: '1' }),
      /^a=1$/,
      /^application\/x-www-form-urlencoded/,
    ],
    [
      "Node's FormData",
      form,
      /name="name"\r\n\r\nAda\r\n[^]*filename="a.txt"[^]*\r\n\r\ncontent\r\n/,
      /^multipart\/form-data; boundary=/,
    ],
    ['a web stream', () => new Blob(['web']).stream(), /^web$/, /^$/],
    ['a Node stream', () => Readable.from([Buffer.from('no'), Buffer.from('de')]), /^node$/, /^$/],
    [
      'an async generator',
      async function* () {
        yield Buffer.from('gene');
        yield Buffer.from('rated');
      },
      /^generated$/,
      /^$/,
    ],
  ])('sends %s as a body', async (_what, body, content, type) => {
    const fetch = await echoing();
    const made = body();
    const seen = await fetch('/', { method: 'POST', body: typeof made === 'function' ? made() : made });
    expect(seen.body).toMatch(content);
    expect(seen.headers['content-type'] ?? '').toMatch(type);
  });

  it('passes an upload on as it comes, and the answer back', async () => {
    const { origin } = await scriptedUpstream(echo);
    const users = client(undici, origin);
    const app = express();
    app.post('/', async (req, res) => {
      const response = await users.fetch(req, '/upload', { method: 'POST', body: req });
      await pipeline(response.body!, res);
    });
    const { url } = await serve(app);
    const answer = await fetch(url, { method: 'POST', body: 'x'.repeat(300_000) });
    expect(await answer.json()).toMatchObject({ url: '/upload', body: 'x'.repeat(300_000) });
  });

  it("sends undici's own FormData as a form", async () => {
    const fetch = await echoing();
    const data = new undici.FormData();
    data.append('name', 'Grace');
    expect((await fetch('/', { method: 'POST', body: data })).body).toContain('name="name"\r\n\r\nGrace\r\n');
  });

  it.each<[string, NonNullable<RequestInit['headers']>]>([
    ['an object', { 'X-Test': '1' }],
    ['pairs', [['x-test', '1']]],
    ["Node's Headers", new Headers({ 'x-test': '1' })],
  ])('takes headers as %s', async (_what, headers) => {
    const fetch = await echoing();
    expect((await fetch('/', { headers })).headers['x-test']).toBe('1');
  });

  it('streams a response as it comes', async () => {
    let finish!: () => void;
    const { origin } = await scriptedUpstream((_req, res) => {
      res.write('first');
      finish = () => res.end('last');
    });
    const response = await client(undici, origin).fetch(null, '/');
    const reader = response.body!.getReader();
    expect(Buffer.from((await reader.read()).value).toString()).toBe('first');
    finish();
    expect(Buffer.from((await reader.read()).value).toString()).toBe('last');
    expect((await reader.read()).done).toBe(true);
  });

  it('rejects what fetch rejects, in its words, and sends nothing', async () => {
    const { origin, hits } = await scriptedUpstream(echo);
    const users = client(undici, origin);
    await expect(users.fetch(null, '/', { method: 'TRACE' })).rejects.toThrow(/TRACE/);
    await expect(users.fetch(null, '/', { body: 'x' })).rejects.toThrow(/GET\/HEAD/);
    await expect(users.fetch(null, '/', { headers: { 'a b': 'c' } })).rejects.toThrow(/a b/);
    expect(hits).toHaveLength(0);
  });

  it.each([['//evil'], ['http://evil/'], ['/a\r\nb'], ['/\\evil'], [undefined]])(
    'rejects the path %j, and sends nothing',
    async (path) => {
      const { origin, hits } = await scriptedUpstream(echo);
      const call = client(undici, origin).fetch(null, path as string);
      await expect(call).rejects.toThrow(TypeError);
      expect(hits).toHaveLength(0);
    },
  );

  it.each([[undefined], ['/v1/users'], [{}]])(
    'rejects %j as a request, and says what it takes',
    async (req) => {
      const { origin, hits } = await scriptedUpstream(echo);
      const call = client(undici, origin).fetch(req as never, '/');
      await expect(call).rejects.toThrow(/must be the Express request, or null outside of one/);
      expect(hits).toHaveLength(0);
    },
  );

  describe('when the upstream redirects', () => {
    it('follows within the origin', async () => {
      const { origin, hits } = await scriptedUpstream((req, res) => {
        if (req.url === '/old') res.writeHead(307, { Location: '/new' }).end();
        else answers.ok(req, res);
      });
      const response = await client(undici, origin).fetch(null, '/old', { method: 'PUT', body: 'x' });
      expect(response).toMatchObject({ status: 200, redirected: true, url: `${origin}/new` });
      expect(hits.map(({ method, url, body }) => [method, url, body])).toEqual([
        ['PUT', '/old', 'x'],
        ['PUT', '/new', 'x'],
      ]);
    });

    it('follows an absolute URL of the same origin', async () => {
      const upstream = await scriptedUpstream((req, res) => {
        if (req.url === '/old') res.writeHead(302, { Location: `${upstream.origin}/new` }).end();
        else answers.ok(req, res);
      });
      const response = await client(undici, upstream.origin).fetch(null, '/old');
      expect(response).toMatchObject({ status: 200, url: `${upstream.origin}/new` });
    });

    it('does not go to another origin, nor to the same path of its own', async () => {
      const other = await scriptedUpstream(answers.ok);
      const { origin, hits } = await scriptedUpstream((_req, res) => {
        res.writeHead(302, { Location: `${other.origin}/secret` }).end();
      });
      const error: any = await client(undici, origin)
        .fetch(null, '/')
        .catch((e: unknown) => e);
      expect(error).toMatchObject({ name: 'TypeError', message: 'fetch failed' });
      expect(error.cause.message).toMatch(`bad redirect: to ${other.origin}, which is another origin`);
      expect(classifyError(error)).toMatchObject({ code: 'UPSTREAM_INVALID_RESPONSE', status: 502 });
      expect(other.hits).toHaveLength(0);
      expect(hits).toHaveLength(1);
    });

    it("hands the redirect over with redirect: 'manual'", async () => {
      const { origin } = await scriptedUpstream((_req, res) => {
        res.writeHead(302, { Location: 'http://elsewhere.example/' }).end();
      });
      const response = await client(undici, origin).fetch(null, '/', { redirect: 'manual' });
      expect(response.status).toBe(302);
      expect(response.headers.get('location')).toBe('http://elsewhere.example/');
    });
  });

  it.each([['GET'], ['POST']])(
    'does not send a %s twice that is answered with 421, as fetch does',
    async (method) => {
      const { origin, hits } = await scriptedUpstream((_req, res) => res.writeHead(421).end());
      const error: any = await client(undici, origin)
        .fetch(null, '/', { method })
        .catch((e: unknown) => e);
      expect(error.cause.message).toMatch('421 Misdirected Request');
      expect(classifyError(error)).toMatchObject({ code: 'UPSTREAM_INVALID_RESPONSE' });
      expect(hits).toHaveLength(1);
    },
  );

  it('decodes what is compressed', async () => {
    const { origin } = await scriptedUpstream((_req, res) => {
      res.setHeader('Content-Encoding', 'gzip').end(gzipSync('squeezed'));
    });
    expect(await (await client(undici, origin).fetch(null, '/')).text()).toBe('squeezed');
  });

  it('takes options of its own way to connect', async () => {
    const path = join(tmpdir(), `express-hangup-${process.pid}-${Math.random().toString(36).slice(2)}.sock`);
    const server = http.createServer((_req, res) => res.end('by a Unix socket'));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const users = client(undici, 'http://localhost', { connect: { socketPath: path } });
    expect(await (await users.fetch(null, '/')).text()).toBe('by a Unix socket');
    await users.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('sends no more at a time than it has connections', async () => {
    const waiting: (() => void)[] = [];
    const upstream = await scriptedUpstream((_req, res) => void waiting.push(() => res.end()));
    const users = client(undici, upstream.origin, { connections: 2 });
    const calls = Array.from({ length: 5 }, async () => (await users.fetch(null, '/')).text());
    for (let served = 0; served < 5; served++) {
      await upstream.arrived(Math.min(5, served + 2));
      expect(upstream.open.size).toBeLessThanOrEqual(2);
      waiting.shift()!();
    }
    await Promise.all(calls);
    expect(upstream.opened).toBe(2);
  });

  it('is closed once what is under way has ended, and refuses what comes later', async () => {
    let finish!: () => void;
    const upstream = await scriptedUpstream((_req, res) => {
      res.write('first');
      finish = () => res.end(' last');
    });
    const users = client(undici, upstream.origin);
    const response = await users.fetch(null, '/');
    const closed = users.close();
    await expect(users.fetch(null, '/')).rejects.toThrow(`upstream('${upstream.origin}') has been closed.`);
    finish();
    expect(await response.text()).toBe('first last');
    await closed;
    await users.close();
    await upstream.empty();
  });

  it('is closed without another try for what fails meanwhile', async () => {
    const answer = gate<() => void>();
    const upstream = await scriptedUpstream((req, res) => answer.open(() => answers[503](req, res)));
    const users = client(undici, upstream.origin);
    const call = users.fetch(null, '/');
    const fail = await answer.promise;
    const closed = users.close();
    fail();
    expect((await call).status).toBe(503);
    await closed;
    expect(upstream.hits).toHaveLength(1);
  });

  it('reaches an upstream by TLS, with its own certificate authority', async () => {
    const server = https.createServer({ cert: TEST_CERTIFICATES.trusted, key: TEST_KEY }, (req, res) => {
      res.end(req.httpVersion);
    });
    const { port } = await listen(server);
    const users = client(undici, `https://127.0.0.1:${port}`, { connect: { ca: TEST_CA } });
    expect(await (await users.fetch(null, '/')).text()).toBe('1.1');
    const stranger: any = await client(undici, `https://127.0.0.1:${port}`)
      .fetch(null, '/')
      .catch((e: unknown) => e);
    expect(classifyError(stranger)).toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
  });
});
