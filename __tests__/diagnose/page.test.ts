import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import net, { type Socket } from 'node:net';
import express from 'express';
import { diagnose, type Diagnosis } from 'express-hangup/diagnose';
import { expressVersions, serve } from '../fixtures/serve';

let diagnosis: Diagnosis;
beforeEach(() => (diagnosis = diagnose()));
afterEach(() => diagnosis.stop());

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** Browsers' fetch would follow redirects and set headers of its own. */
function ask(url: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = http.request(url, options, (res) => {
      let text = '';
      res.on('data', (chunk: Buffer) => (text += chunk.toString()));
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
    });
    req.on('error', reject);
    req.end();
  });
}

/** The status of an answer to bytes that no client of Node would send. */
async function rawStatus(host: string, head: string): Promise<number> {
  const { hostname, port } = new URL(`http://${host}`);
  const socket = net.connect(Number(port), hostname);
  socket.write(head);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(/^HTTP\/1\.\d (\d+)/.exec(chunk.toString())?.[1]);
}

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

describe.each(expressVersions)('the page on %s', (_name, make) => {
  let url: string;
  beforeEach(async () => {
    const app = make();
    app.use('/_hangup', diagnosis.page);
    app.use((_req, res) => void res.status(404).send('the next handler'));
    ({ url } = await serve(app as never));
  });

  it('is HTML for browsers, with a policy that allows nothing but its own files', async () => {
    const { status, headers, text } = await ask(`${url}/_hangup/`, { headers: browser });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
      vary: 'Accept',
    });
    expect(headers['content-security-policy']).not.toMatch(/unsafe|https?:|\*/);
    expect(text).toMatch(/^<!doctype html>/);
  });

  it('holds no inline script, style or handler, and nothing from elsewhere', async () => {
    const { text } = await ask(`${url}/_hangup/`, { headers: browser });
    expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:|https?:|\/\//i);
    expect(text.match(/<script[^>]*>/g)).toEqual(['<script src="page.js" type="module">']);
  });

  it('sends a browser to the address with a slash, whatever lies before it', async () => {
    const { status, headers } = await ask(`${url}/_hangup?x=1`, { headers: browser });
    expect(status).toBe(302);
    expect(headers.location).toBe('./_hangup/');
  });

  it.each([
    ['asks for JSON', 'application/json'],
    ['takes anything', '*/*'],
    ['prefers JSON', 'text/html;q=0.5, application/json'],
  ])('is the report for a program that %s', async (_what, accept) => {
    const { status, headers, text } = await ask(`${url}/_hangup`, { headers: { accept } });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(text)).toMatchObject({ live: { count: 0 }, faults: [], findings: [] });
  });

  it.each([
    ['page.css', 'text/css'],
    ['page.js', 'text/javascript'],
    ['words.js', 'text/javascript'],
    ['errors/UPSTREAM_RESET', 'text/plain'],
    ['icon.svg', 'image/svg+xml'],
    ['report.json', 'application/json'],
  ])('serves %s below itself', async (name, type) => {
    const { status, headers, text } = await ask(`${url}/_hangup/${name}`);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe(`${type}; charset=utf-8`);
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  });

  it('answers HEAD without a body', async () => {
    const { status, headers, text } = await ask(`${url}/_hangup/`, { method: 'HEAD', headers: browser });
    expect(status).toBe(200);
    expect(Number(headers['content-length'])).toBeGreaterThan(1000);
    expect(text).toBe('');
  });

  it('leaves what it does not know to the next handler', async () => {
    expect(await ask(`${url}/_hangup/unknown`)).toMatchObject({ status: 404, text: 'the next handler' });
    for (const path of [
      ...['__proto__', 'types.d.ts', 'tsconfig.json', 'errors/NOTHING', 'errors/__proto__', 'errors/'],
      ...['..%2fassets.js', '%2e%2e/assets.ts', 'page.js/', 'PAGE.JS', 'errors/..%2f..%2fpackage.json'],
    ])
      expect(await ask(`${url}/_hangup/${path}`)).toMatchObject({ status: 404, text: 'the next handler' });
  });

  it('takes no other method than GET and HEAD', async () => {
    const { status, headers } = await ask(`${url}/_hangup/`, { method: 'POST' });
    expect(status).toBe(405);
    expect(headers.allow).toBe('GET, HEAD');
  });
});

it('works without Express', async () => {
  const { url } = await serve((req: http.IncomingMessage, res: http.ServerResponse) =>
    diagnosis.page(req, res),
  );
  expect((await ask(`${url}/`, { headers: browser })).text).toMatch(/^<!doctype html>/);
  expect((await ask(`${url}/page.js`)).status).toBe(200);
  expect((await ask(`${url}/unknown`)).status).toBe(404);
});

describe('who may see it', () => {
  /** A server whose connections claim to come from an address: all that a test on one machine can do. */
  async function servedTo(address: string | undefined, page = diagnosis.page): Promise<string> {
    const app = express();
    app.use('/_hangup', page);
    const { server, url } = await serve(app);
    if (address !== undefined) {
      server.on('connection', (socket: Socket) => {
        Object.defineProperty(socket, 'remoteAddress', { value: address === 'none' ? undefined : address });
      });
    }
    return `${url}/_hangup/`;
  }

  it.each([undefined, '127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', '::FFFF:127.0.0.1'])(
    'is this machine: %s',
    async (address) => {
      expect((await ask(await servedTo(address))).status).toBe(200);
    },
  );

  it.each([
    '10.0.0.1',
    '203.0.113.9',
    '::ffff:10.0.0.1',
    '2001:db8::1',
    '::',
    '0.0.0.0',
    '1.127.0.0',
    '127.evil',
    'none',
  ])('is nobody else: %s', async (address) => {
    const { status, text } = await ask(await servedTo(address));
    expect(status).toBe(403);
    expect(text).not.toContain('origins');
  });

  it('is not opened by any header', async () => {
    const url = await servedTo('203.0.113.9');
    const headers = {
      host: 'localhost',
      forwarded: 'for=127.0.0.1',
      'x-forwarded-for': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'x-client-ip': '127.0.0.1',
      'true-client-ip': '127.0.0.1',
    };
    expect((await ask(url, { headers })).status).toBe(403);
  });

  it.each([
    ...['forwarded', 'via', 'x-real-ip', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'],
    ...[
      'x-forwarded-server',
      'x-forwarded-port',
      'x-original-uri',
      'x-envoy-external-address',
      'x-amzn-trace-id',
    ],
    ...['cf-connecting-ip', 'true-client-ip', 'x-client-ip', 'cdn-loop', 'x-scheme', 'x-request-start'],
  ])('is nobody who comes through a proxy on this machine: %s', async (name) => {
    const { status, text } = await ask(await servedTo(undefined), { headers: { [name]: '127.0.0.1' } });
    expect(status).toBe(403);
    expect(text).toContain('a header that only proxies add');
  });

  it.each([
    ['that closes its connection', { connection: 'close' }],
    ['that names other options of its connection', { connection: 'keep-alive, x-token' }],
    ['for an upgrade', { connection: 'upgrade', upgrade: 'x' }],
  ])('is nobody whose request is one %s, as a proxy’s is', async (_what, headers) => {
    const { status, text } = await ask(await servedTo(undefined), { headers });
    expect(status).toBe(403);
    expect(text).toContain('does not say "Connection: keep-alive"');
  });

  it('is nobody whose request comes without a word on its connection, or in HTTP/1.0', async () => {
    const { host, pathname } = new URL(await servedTo(undefined));
    for (const head of [
      `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      `GET ${pathname} HTTP/1.0\r\nHost: ${host}\r\nConnection: keep-alive\r\n\r\n`,
    ])
      expect(await rawStatus(host, head)).toBe(403);
    const direct = `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive\r\n\r\n`;
    expect(await rawStatus(host, direct)).toBe(200);
  });

  it.each([
    ['sec-fetch-site', 'cross-site'],
    ['sec-fetch-site', 'same-site'],
    ['origin', 'http://evil.example'],
    ['origin', 'null'],
  ])('is no page of another site: %s %s', async (name, value) => {
    const { status, text } = await ask(await servedTo(undefined), { headers: { [name]: value } });
    expect(status).toBe(403);
    expect(text).toContain('another site has asked for it');
  });

  it('is the page itself, and whoever types its address', async () => {
    const url = await servedTo(undefined);
    for (const headers of [
      { 'sec-fetch-site': 'same-origin', origin: new URL(url).origin },
      { 'sec-fetch-site': 'none' },
    ])
      expect((await ask(url, { headers })).status).toBe(200);
  });

  it('is nobody whose header names are in small letters, as those of a proxy written in Node are', async () => {
    const url = await servedTo(undefined);
    const { host } = new URL(url);
    for (const headers of [{ host }, { connection: 'keep-alive' }]) {
      const { status, text } = await ask(url, { headers });
      expect(status).toBe(403);
      expect(text).toContain('in small letters');
    }
  });

  it('is nobody in production, without a check of the app', async () => {
    const url = await servedTo(undefined);
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    const { status, text } = await ask(url);
    process.env['NODE_ENV'] = before;
    expect(status).toBe(403);
    expect(text).toContain('in production');
    expect(text).toContain('diagnose({ allow:');
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.example',
    '[::2]',
    '10.0.0.1',
    'notlocalhost',
  ])('is nobody whose browser was led here by a name from elsewhere: %s', async (host) => {
    expect((await ask(await servedTo(undefined), { headers: { host } })).status).toBe(403);
  });

  it.each(['localhost', 'LOCALHOST', 'app.localhost', '127.0.0.1', '[::1]'])(
    'may call this machine by %s, with the port at which it listens',
    async (host) => {
      const url = await servedTo(undefined);
      const { port } = new URL(url);
      expect((await ask(url, { headers: { Host: `${host}:${port}` } })).status).toBe(200);
      expect((await ask(url, { headers: { Host: `${host}:1` } })).status).toBe(403);
      expect((await ask(url, { headers: { Host: host } })).status).toBe(403);
    },
  );

  it('holds for the assets and the report too', async () => {
    const url = await servedTo('203.0.113.9');
    for (const name of ['page.js', 'page.css', 'report.json', 'unknown']) {
      expect((await ask(url + name)).status).toBe(403);
    }
  });

  it('is said by allow(), in place of the address', async () => {
    const token = diagnose({ allow: (req) => req.headers['x-token'] === 'right' });
    const url = await servedTo('203.0.113.9', token.page);
    expect((await ask(url, { headers: { 'x-token': 'right' } })).status).toBe(200);
    expect((await ask(url, { headers: { 'x-token': 'wrong' } })).status).toBe(403);
    token.stop();
  });

  it('is nobody where allow() gives a value that only looks true, and the answer says so', async () => {
    for (const value of [1, 'yes', {}, Promise.resolve('yes')]) {
      const loose = diagnose({ allow: () => value as never });
      const { status, text } = await ask(await servedTo(undefined, loose.page));
      expect(status).toBe(403);
      expect(text).toMatch(/allow\(\) gave a value of type (?:number|string|object), and not true/);
      loose.stop();
    }
  });

  it('may be said by a promise', async () => {
    for (const isAllowed of [true, false]) {
      const slow = diagnose({ allow: async (req) => Promise.resolve(isAllowed && req.ip !== undefined) });
      const { status } = await ask(await servedTo('203.0.113.9', slow.page));
      expect(status).toBe(isAllowed ? 200 : 403);
      slow.stop();
    }
  });

  it('is nobody where the promise of allow() is rejected, and the error is the app’s', async () => {
    const broken = diagnose({
      allow: () => Promise.reject(Object.assign(new Error('no'), { status: 418 })),
    });
    expect((await ask(await servedTo(undefined, broken.page))).status).toBe(418);
    broken.stop();
  });

  it('is nobody where allow() throws, and the error is the app’s', async () => {
    const broken = diagnose({
      allow: () => {
        throw Object.assign(new Error('no'), { status: 418 });
      },
    });
    expect((await ask(await servedTo(undefined, broken.page))).status).toBe(418);
    broken.stop();
  });
});
