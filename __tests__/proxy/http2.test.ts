import { gatewayErrorHandler, hangup } from 'express-hangup';
import { clientThatHangsUp, type FaultyUpstreamOptions } from 'express-hangup/testing';
import type { Request, Response } from 'express';
import http2 from 'node:http2';
import { text } from 'node:stream/consumers';
import { listen } from '../fixtures/serve';
import { createProxy, proxyVersions, startUpstream } from './fixture';
import { rawUpstream } from './raw-upstream';

// http-proxy-middleware 3 hands HTTP/2's pseudo headers to the upstream's request, which refuses them.
const [, hpm] = proxyVersions[0]!;

/** A proxy that clients reach over HTTP/2. Express itself has no HTTP/2: it is used without. */
async function overHttp2(fault: NonNullable<FaultyUpstreamOptions['fault']>) {
  const upstream = await startUpstream({ fault });
  return { upstream, url: await proxyOverHttp2(upstream.url) };
}

async function proxyOverHttp2(target: string): Promise<string> {
  const proxy = createProxy(hpm, { target });
  const begin = hangup({ deadline: 300 });
  const serveOne = (req: Request, res: Response): void => {
    const answer = (error: unknown): void => void gatewayErrorHandler()(error, req, res, () => res.destroy());
    begin(req, res, (error?: unknown) => {
      if (error !== undefined) answer(error);
      else void proxy(req, res, answer);
    });
  };
  return (await listen(http2.createServer(serveOne as never) as never)).url;
}

describe('a proxy that is reached over HTTP/2 (http-proxy-middleware 4)', () => {
  it.each([
    ['ok', 200],
    ['reset', 502],
    ['hang', 504],
  ] as const)('answers %s by %d', async (fault, status) => {
    const { url } = await overHttp2(fault);
    const { response } = await clientThatHangsUp(url, { protocol: 'http2' });
    expect(response).toMatchObject({ status, complete: true });
  });

  it('resets the stream of a response that its upstream has cut', async () => {
    const { url } = await overHttp2({ fault: 'reset-chunk' });
    const { response, ended } = await clientThatHangsUp(url, { protocol: 'http2' });
    expect([response?.status, response?.complete, ended]).toEqual([200, false, 'rst']);
  });

  it('takes the upstream request with a client that leaves', async () => {
    const { url, upstream } = await overHttp2('hang');
    const attempt = upstream.nextAttempt();
    await clientThatHangsUp(url, { protocol: 'http2', leave: 'after-request', after: attempt });
    expect((await upstream.untilClosed(await attempt)).by).toBe('client');
  });

  it('passes on no more early hints than a client can have use for', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';
    const target = await rawUpstream(`${hints.repeat(1000)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`);
    const session = http2.connect(await proxyOverHttp2(target));
    const stream = session.request();
    let count = 0;
    stream.on('headers', () => (count += 1));

    const body = await text(stream);
    session.destroy();

    expect([body, count]).toEqual(['ok', 10]);
  });
});
