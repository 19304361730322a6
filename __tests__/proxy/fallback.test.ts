import express from 'express';
import { clientThatHangsUp } from 'express-hangup/testing';
import http from 'node:http';
import { hangupProxy } from 'express-hangup/proxy';
import { collect } from '../fixtures/events';
import { refusingPort } from '../fixtures/faulty-server';
import { serve } from '../fixtures/serve';
import { proxyApp, proxyVersions, startUpstream } from './fixture';

/** A healthy upstream that tells what it got. */
async function spareUpstream(): Promise<{
  url: string;
  got: { method?: string; url?: string; bytes: number }[];
}> {
  const got: { method?: string; url?: string; bytes: number }[] = [];
  const { url } = await serve((req: http.IncomingMessage, res: http.ServerResponse) => {
    let bytes = 0;
    req.on('data', (chunk: Buffer) => (bytes += chunk.length));
    req.on('end', () => {
      got.push({ method: req.method ?? '', url: req.url ?? '', bytes });
      res.end('spare');
    });
  });
  return { url, got };
}

const nowhere = async (): Promise<string> => `http://127.0.0.1:${await refusingPort()}`;

const BODY = Buffer.alloc(300_000, 'x');

describe.each(proxyVersions)('fallback, %s', (_name, hpm) => {
  it.each(['refused', 'reset', 'close', 'garbage', 'hang'])(
    'takes a GET whose first upstream fails (%s)',
    async (fault) => {
      const spare = await spareUpstream();
      const first = await startUpstream({ fault: (fault === 'refused' ? 'ok' : fault) as 'ok' });
      const target = fault === 'refused' ? await nowhere() : first.url;
      const onError = jest.fn();
      const { url, errors } = await proxyApp(hpm, target, {
        proxy: {
          fallback: spare.url,
          proxyTimeout: 100,
          pathRewrite: { '^/api': '/v1/api' },
          on: { error: onError },
        },
      });
      const retries = collect('retry');

      const { response } = await clientThatHangsUp(url, { path: '/api/x?y=1' });

      expect([response?.status, response?.text]).toEqual([200, 'spare']);
      // Rewritten once.
      expect(spare.got).toEqual([{ method: 'GET', url: '/v1/api/x?y=1', bytes: 0 }]);
      expect([errors, onError.mock.calls]).toEqual([[], []]);
      expect(retries.all).toMatchObject([{ origin: spare.url, method: 'GET', attempt: 2 }]);
    },
  );

  it.each([
    ['PUT', false],
    ['PUT', true],
    ['DELETE', false],
    ['DELETE', true],
  ])('takes a %s whole that nobody has had a byte of (chunked: %s)', async (method, chunked) => {
    const spare = await spareUpstream();
    const { url } = await proxyApp(hpm, await nowhere(), { proxy: { fallback: spare.url } });

    const { response } = await clientThatHangsUp(url, { method, body: BODY, chunked });

    expect([response?.status, response?.text]).toEqual([200, 'spare']);
    expect(spare.got).toEqual([{ method, url: '/', bytes: BODY.length }]);
  });

  it('takes a PUT that a body parser has read, and fixRequestBody writes once more', async () => {
    const spare = await spareUpstream();
    const { url } = await proxyApp(hpm, await nowhere(), {
      before: [express.json()],
      proxy: { fallback: spare.url, on: { proxyReq: hpm.fixRequestBody } },
    });

    const { response } = await clientThatHangsUp(url, {
      method: 'PUT',
      body: '{"a": 1}',
      headers: { 'content-type': 'application/json' },
    });

    expect([response?.text, spare.got]).toEqual(['spare', [{ method: 'PUT', url: '/', bytes: 7 }]]);
  });

  it.each(['POST', 'PATCH'])(
    'does not take a %s, of which the first upstream may have done its part',
    async (method) => {
      const spare = await spareUpstream();
      for (const target of [await nowhere(), (await startUpstream({ fault: 'reset' })).url]) {
        const { url } = await proxyApp(hpm, target, { proxy: { fallback: spare.url } });
        for (const body of [BODY, Buffer.alloc(0)]) {
          expect((await clientThatHangsUp(url, { method, body })).response?.status).toBe(502);
        }
      }
      expect(spare.got).toEqual([]);
    },
  );

  it('does not take a PUT of which bytes have left', async () => {
    const spare = await spareUpstream();
    const first = await startUpstream({ fault: 'reset' });
    const { url } = await proxyApp(hpm, first.url, { proxy: { fallback: spare.url } });

    const { response } = await clientThatHangsUp(url, { method: 'PUT', body: BODY, chunked: true });

    expect([response?.status, spare.got]).toEqual([502, []]);
  });

  it.each(['reset-body', 'close-chunk'] as const)(
    'does not take what the first upstream has begun to answer (%s)',
    async (fault) => {
      const spare = await spareUpstream();
      const first = await startUpstream({ fault });
      const { url } = await proxyApp(hpm, first.url, { proxy: { fallback: spare.url } });

      expect((await clientThatHangsUp(url)).response?.complete).toBe(false);
      expect(spare.got).toEqual([]);
    },
  );

  it('does not take a request whose deadline has passed, nor one whose client has left', async () => {
    const spare = await spareUpstream();
    const first = await startUpstream({ fault: 'hang' });
    const { url } = await proxyApp(hpm, first.url, {
      hangup: { deadline: 60 },
      proxy: { fallback: spare.url },
    });

    expect((await clientThatHangsUp(url)).response?.status).toBe(504);
    await clientThatHangsUp(url, { leave: 'after-request', after: first.nextAttempt() });

    expect(spare.got).toEqual([]);
  });

  it('that fails too is a 502 which tells of it', async () => {
    const spare = await startUpstream({ fault: 'reset' });
    const { url, errors } = await proxyApp(hpm, await nowhere(), { proxy: { fallback: spare.url } });
    const faults = collect('fault');

    expect((await clientThatHangsUp(url)).response?.status).toBe(502);
    expect(errors).toHaveLength(1);
    expect(await faults.next()).toMatchObject({ upstream: { origin: spare.origin, attempt: 2 } });
  });

  it('takes a request that was sent again on a new connection, and failed there too', async () => {
    const spare = await spareUpstream();
    const first = await startUpstream({ fault: ['stale', 'ok', 'reset'] });
    const { url } = await proxyApp(hpm, first.url, { proxy: { fallback: spare.url } });
    await clientThatHangsUp(url);
    first.use('reset');

    expect((await clientThatHangsUp(url)).response?.text).toBe('spare');
    expect(spare.got).toHaveLength(1);
  });

  it('keeps its own connections', async () => {
    const spare = await startUpstream();
    const { url } = await proxyApp(hpm, await nowhere(), { proxy: { fallback: spare.url } });

    await clientThatHangsUp(url);
    await clientThatHangsUp(url);

    expect(spare.connections).toHaveLength(1);
  });

  it('leaves the upload alone where the first upstream works', async () => {
    const first = await spareUpstream();
    const { url } = await proxyApp(hpm, first.url, { proxy: { fallback: await nowhere() } });

    for (const method of ['PUT', 'POST', 'DELETE']) {
      for (const chunked of [false, true]) {
        const { response } = await clientThatHangsUp(url, { method, body: BODY, chunked });
        expect([response?.status, first.got.at(-1)?.bytes]).toEqual([200, BODY.length]);
      }
    }
  });
});

describe('the option fallback', () => {
  it.each([
    ['a number', 3001],
    ['a list', ['http://127.0.0.1:1']],
    ['a host without a scheme', 'spare:3001'],
    ['another scheme', 'ftp://spare'],
    ['no URL', 'spare'],
  ])('refuses %s when the middleware is made', (_what, fallback) => {
    expect(() => hangupProxy({ target: 'http://127.0.0.1', fallback })).toThrow(
      /^hangupProxy\(\): option "fallback" is .*, but must be the URL of an upstream/,
    );
  });

  it('is a text or a URL, and not handed on', () => {
    for (const fallback of ['http://spare:3001', new URL('https://spare')]) {
      expect(hangupProxy({ target: 'http://127.0.0.1', fallback })).not.toHaveProperty('fallback');
    }
  });
});

it('a client of http.Agent sees nothing of the fallback but its answer', async () => {
  const spare = await spareUpstream();
  const { url } = await proxyApp(proxyVersions[0]![1], await nowhere(), {
    proxy: { fallback: `${spare.url}/base` },
  });
  const body = await new Promise<string>((resolve, reject) => {
    http
      .get(`${url}/x`, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(text));
      })
      .on('error', reject);
  });

  expect([body, spare.got[0]?.url]).toEqual(['spare', '/base/x']);
});
