import express from 'express';
import { clientThatHangsUp } from 'express-hangup/testing';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import zlib, { gzipSync } from 'node:zlib';
import { TEST_CERTIFICATES, TEST_KEY } from '../../src/testing/upstream/test-certificates';
import { RawClient } from '../fixtures/raw-client';
import { gate, listen, serve } from '../fixtures/serve';
import { proxyApp, proxyVersions, startUpstream } from './fixture';
import { rawUpstream } from './raw-upstream';

/** A healthy upstream. */
function upstreamOf(listener: http.RequestListener): ReturnType<typeof serve> {
  return serve(listener);
}

/** An upstream that gives back what it got. */
async function echo(): Promise<string> {
  const { url } = await upstreamOf((req, res) => {
    res.writeHead(200, { 'x-path': req.url ?? '', 'x-host': req.headers.host ?? '' });
    req.pipe(res);
  });
  return url;
}

/** "Hello", which Node 20 cannot compress either. */
const ZSTD_HELLO = Buffer.from('KLUv/SAFKQAASGVsbG8=', 'base64');

const sizes = [0, 1, 65_536, 1_000_000];

describe.each(proxyVersions)('bodies, %s', (_name, hpm) => {
  it.each(['POST', 'PUT'])('of a %s arrive whole, and come back whole', async (method) => {
    const { url, errors } = await proxyApp(hpm, await echo());

    for (const size of sizes) {
      for (const chunked of [false, true]) {
        const body = Buffer.alloc(size, 'abc');
        const { response } = await clientThatHangsUp(url, { method, body, chunked });
        expect({ size, whole: response?.complete, same: response?.body.equals(body) }).toEqual({
          size,
          whole: true,
          same: true,
        });
      }
    }
    expect(errors).toEqual([]);
  });

  it('of 100 MB flow at the pace of the reader', async () => {
    const { port } = await proxyApp(hpm, await echo());
    const megabyte = Buffer.alloc(1 << 20);
    let sent = 0;
    let received = 0;
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', agent: false });
    const fill = (): void => {
      while (sent < 100) {
        sent += 1;
        if (!request.write(megabyte)) {
          request.once('drain', fill);
          return;
        }
      }
      request.end();
    };
    fill();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];

    // Without backpressure, all of it would be in the proxy's memory by now.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const ahead = sent;
    for await (const chunk of response as AsyncIterable<Buffer>) received += chunk.length;

    expect(ahead).toBeLessThan(48);
    expect(received).toBe(100 << 20);
  });

  it('that a body parser has read are sent again by fixRequestBody', async () => {
    const { url } = await proxyApp(hpm, await echo(), {
      before: [express.json()],
      proxy: { on: { proxyReq: hpm.fixRequestBody } },
    });

    const { response } = await clientThatHangsUp(url, {
      body: '{"a": 1}',
      headers: { 'content-type': 'application/json', trailer: 'x-sum' },
    });

    expect(response?.text).toBe('{"a":1}');
  });

  it('of an upload that the upstream refuses early do not hide its answer', async () => {
    const upstream = await startUpstream({ fault: { fault: 'status', status: 413, early: true } });
    const { url } = await proxyApp(hpm, upstream.url);

    const { response } = await clientThatHangsUp(url, { body: Buffer.alloc(2_000_000) });

    expect(response).toMatchObject({ status: 413, complete: true });
  });

  it('of an upload whose upstream resets leave room for a 502', async () => {
    const upstream = await startUpstream({ fault: { fault: 'reset', early: true } });
    const { url } = await proxyApp(hpm, upstream.url);

    const { response } = await clientThatHangsUp(url, { body: Buffer.alloc(2_000_000) });

    expect(response).toMatchObject({ status: 502, complete: true });
  });
});

describe.each(proxyVersions)('http-proxy-middleware’s own features, %s', (name, hpm) => {
  it('responseInterceptor changes a response, compressed as well', async () => {
    const upstream = await upstreamOf((req, res) => {
      res.setHeader('content-encoding', req.url === '/gzip' ? 'gzip' : 'identity');
      res.end(req.url === '/gzip' ? gzipSync('Hello') : 'Hello');
    });
    const { url } = await proxyApp(hpm, upstream.url, {
      proxy: {
        selfHandleResponse: true,
        on: {
          proxyRes: hpm.responseInterceptor(async (buffer) => buffer.toString().replace('Hello', 'Goodbye')),
        },
      },
    });

    expect((await clientThatHangsUp(url)).response?.text).toBe('Goodbye');
    expect((await clientThatHangsUp(url, { path: '/gzip' })).response?.text).toBe('Goodbye');
  });

  it('responseInterceptor and a body in zstd are an answer in plain, or a 502 where this Node cannot decode it', async () => {
    const upstream = await upstreamOf((_req, res) => {
      res.setHeader('content-encoding', 'zstd');
      res.end(ZSTD_HELLO);
    });
    const { url, errors } = await proxyApp(hpm, upstream.url, {
      proxy: {
        selfHandleResponse: true,
        on: { proxyRes: hpm.responseInterceptor(async (buffer) => buffer) },
      },
    });

    const { response } = await clientThatHangsUp(url);

    // Version 3 does not know zstd, and hands the interceptor what has come.
    const isDecoded = name === 'http-proxy-middleware 4';
    const canDecode = 'createZstdDecompress' in zlib;
    expect(response?.status).toBe(isDecoded && !canDecode ? 502 : 200);
    expect(response?.text === 'Hello').toBe(isDecoded && canDecode);
    const refusals = errors.map((error) => /zstd, which Node \S+ cannot decode/.exec(String(error))?.[0]);
    const refusal = `zstd, which Node ${process.version} cannot decode`;
    expect(refusals).toEqual(isDecoded && !canDecode ? [refusal] : []);
  });

  it.each(['reset-chunk', 'close-body', 'hang-body'] as const)(
    'responseInterceptor makes no 200 of a fragment (%s)',
    async (fault) => {
      const upstream = await startUpstream({ fault });
      const { url } = await proxyApp(hpm, upstream.url, {
        hangup: { deadline: 200 },
        proxy: {
          selfHandleResponse: true,
          on: { proxyRes: hpm.responseInterceptor(async (buffer) => buffer) },
        },
      });

      const { response } = await clientThatHangsUp(url, { headers: { accept: 'application/json' } });

      expect([response?.status, response?.complete]).toEqual([fault === 'hang-body' ? 504 : 502, true]);
      expect(response?.text).toContain(fault === 'hang-body' ? 'DEADLINE_EXCEEDED' : 'UPSTREAM_RESET');
    },
  );

  it('responseInterceptor leaves the answer for a fragment to a slow error handler', async () => {
    const upstream = await startUpstream({ fault: 'close-body' });
    const { url } = await proxyApp(hpm, upstream.url, {
      proxy: {
        selfHandleResponse: true,
        on: { proxyRes: hpm.responseInterceptor(async (buffer) => buffer) },
      },
      errorHandler: async (_error, _req, res, _next) => {
        await sleep(30);
        res.status(502).end('late but whole');
      },
    });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, response?.text]).toEqual([502, 'late but whole']);
  });

  it('selfHandleResponse leaves the response to the user, who may also end the upstream’s', async () => {
    const upstream = await startUpstream({ fault: 'drip' });
    const { url, errors } = await proxyApp(hpm, upstream.url, {
      proxy: {
        selfHandleResponse: true,
        on: {
          proxyRes: (proxyRes, _req, res) => {
            proxyRes.once('data', () => {
              proxyRes.destroy();
              res.writeHead(418).end('enough');
            });
          },
        },
      },
    });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, response?.text, errors]).toEqual([418, 'enough', []]);
  });

  it('pathRewrite, router and changeOrigin do what they say', async () => {
    const target = await echo();
    const { url } = await proxyApp(hpm, 'http://127.0.0.1:1', {
      proxy: { pathRewrite: { '^/old': '/new' }, router: { '/old': target }, changeOrigin: true },
    });

    const { response } = await clientThatHangsUp(url, { path: '/old/x?y=1' });

    expect(response?.headers).toMatchObject({ 'x-path': '/new/x?y=1', 'x-host': new URL(target).host });
  });

  it('pathFilter lets other requests by', async () => {
    const upstream = await startUpstream();
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { pathFilter: '/api' } });

    expect((await clientThatHangsUp(url, { path: '/other' })).response?.status).toBe(404);
    expect((await clientThatHangsUp(url, { path: '/api' })).response?.status).toBe(200);
  });

  it('an HTTPS target, and a router that chooses between HTTP and HTTPS, keep their connections', async () => {
    const secure = await listen(
      https.createServer({ key: TEST_KEY, cert: TEST_CERTIFICATES.trusted }, (_req, res) =>
        res.end('secure'),
      ),
    );
    const plain = await upstreamOf((_req, res) => res.end('plain'));
    const connections = jest.fn();
    secure.server.on('secureConnection', connections);
    const { url } = await proxyApp(hpm, undefined, {
      proxy: {
        secure: false,
        router: (req: http.IncomingMessage) =>
          req.url === '/secure' ? `https://127.0.0.1:${secure.port}` : plain.url,
      },
    });

    for (const path of ['/secure', '/plain', '/secure']) {
      expect((await clientThatHangsUp(url, { path })).response?.text).toBe(path.slice(1));
    }
    expect(connections).toHaveBeenCalledTimes(1);
  });

  it('followRedirects follows', async () => {
    const { url: target } = await upstreamOf((req, res) => {
      if (req.url === '/to') res.end('found');
      else res.writeHead(302, { location: '/to' }).end();
    });
    const { url } = await proxyApp(hpm, target, { proxy: { followRedirects: true } });

    expect((await clientThatHangsUp(url, { path: '/from' })).response?.text).toBe('found');
  });

  it('xfwd says who asked, once', async () => {
    const upstream = await startUpstream();
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { xfwd: true } });

    await clientThatHangsUp(url);

    expect((await upstream.nextAttempt()).headers['x-forwarded-for']).toMatch(/^[^,]*127\.0\.0\.1$/);
  });
});

describe.each(proxyVersions)('an expectation of 100-continue, %s', (_name, hpm) => {
  it('is passed on, and the body follows', async () => {
    const upstream = await startUpstream();
    const onProxyReq = jest.fn();
    const { port } = await proxyApp(hpm, upstream.url, { proxy: { on: { proxyReq: onProxyReq } } });
    const client = await RawClient.connect(port);

    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
    await client.received('100 Continue');
    client.send('ok');
    await client.received('{"ok":true}');

    const attempt = await upstream.nextAttempt();
    expect(attempt).toMatchObject({ bodyBytes: 2, bodyComplete: true, headers: { expect: '100-continue' } });
    expect(onProxyReq).toHaveBeenCalledTimes(1);
    client.leave('fin');
  });

  it('does not keep the upstream alive when the client leaves', async () => {
    const upstream = await startUpstream({ fault: 'hang' });
    const { port } = await proxyApp(hpm, upstream.url);
    const client = await RawClient.connect(port);

    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok');
    const attempt = await upstream.nextAttempt();
    client.leave('fin');

    expect((await upstream.untilClosed(attempt)).by).toBe('client');
  });
});

const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n';

describe.each(proxyVersions)('trailers, %s', (_name, hpm) => {
  it('of a response reach the client', async () => {
    const { url } = await proxyApp(hpm, await rawUpstream(CHUNKED));

    const { response } = await clientThatHangsUp(url);

    expect(response).toMatchObject({ text: 'ok', complete: true, trailers: { 'x-sum': '1' } });
  });

  it('of an upload reach the upstream', async () => {
    const trailers = gate<http.IncomingMessage['trailers']>();
    const upstream = await upstreamOf((req, res) => {
      req.resume().on('end', () => {
        trailers.open(req.trailers);
        res.end();
      });
    });
    const { port } = await proxyApp(hpm, upstream.url);
    const client = await RawClient.connect(port);

    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED.slice(CHUNKED.indexOf('Transfer'))}`);

    expect(await trailers.promise).toEqual({ 'x-sum': '1' });
    expect((await client.response()).status).toBe(200);
    client.leave('fin');
  });

  it.each([
    ['a GET', 'GET / HTTP/1.1\r\nHost: a\r\nTrailer: x\r\n\r\n', CHUNKED],
    [
      'a POST of known length',
      'POST / HTTP/1.1\r\nHost: a\r\nTrailer: x\r\nContent-Length: 2\r\n\r\nok',
      CHUNKED,
    ],
    ['a response to an HTTP/1.0 client', 'GET / HTTP/1.0\r\n\r\n', CHUNKED],
    [
      'a response of known length',
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTrailer: x-sum\r\n\r\nok',
    ],
    [
      'a response to HEAD',
      'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
      CHUNKED.slice(0, CHUNKED.indexOf('2\r\nok')),
    ],
  ])('that cannot be, announced by %s, do not take the process down', async (_what, request, answer) => {
    const { port } = await proxyApp(hpm, await rawUpstream(answer));
    const client = await RawClient.connect(port);

    client.send(request);

    await expect(client.received('200 OK')).resolves.toBeUndefined();
    client.leave('fin');
  });
});

describe.each(proxyVersions)('the upstream’s connection headers, %s', (_name, hpm) => {
  it('do not tell the client how long its own connection is kept', async () => {
    const { url } = await proxyApp(
      hpm,
      await rawUpstream('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=75\r\nContent-Length: 0\r\n\r\n'),
    );

    expect((await clientThatHangsUp(url)).response?.headers['keep-alive']).toBeUndefined();
  });
});
