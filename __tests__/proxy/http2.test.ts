import { gatewayErrorHandler, hangup } from 'express-hangup';
import { clientThatHangsUp, type FaultyUpstreamOptions } from 'express-hangup/testing';
import type { Request, Response } from 'express';
import http2 from 'node:http2';
import { listen } from '../fixtures/serve';
import { createProxy, proxyVersions, startUpstream } from './fixture';

// http-proxy-middleware 3 hands HTTP/2's pseudo headers to the upstream's request, which refuses them.
const [, hpm] = proxyVersions[0]!;

/** A proxy that clients reach over HTTP/2. Express itself has no HTTP/2: it is used without. */
async function overHttp2(fault: NonNullable<FaultyUpstreamOptions['fault']>) {
  const upstream = await startUpstream({ fault });
  const proxy = createProxy(hpm, { target: upstream.url });
  const begin = hangup({ deadline: 300 });
  const serveOne = (req: Request, res: Response): void => {
    const answer = (error: unknown): void => void gatewayErrorHandler()(error, req, res, () => res.destroy());
    begin(req, res, (error?: unknown) => {
      if (error !== undefined) answer(error);
      else void proxy(req, res, answer);
    });
  };
  const { url } = await listen(http2.createServer(serveOne as never) as never);
  return { upstream, url };
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
});
