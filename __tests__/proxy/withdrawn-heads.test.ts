import { clientThatHangsUp } from 'express-hangup/testing';
import type { RequestHandler } from 'express';
import type { ServerResponse } from 'node:http';
import { proxyApp, proxyVersions } from './fixture';
import { rawUpstream } from './raw-upstream';

const HEAD = [
  'HTTP/1.1 404 Gone For Good',
  'Set-Cookie: session=upstream',
  'Proxy-Status: upstream; error=none',
  'X-App: upstream',
  'Content-Length: 9',
  '\r\n',
].join('\r\n');

/** What the app has set itself, before the proxy: the upstream says something else about the first. */
const own: RequestHandler = (_req, res, next) => {
  res.set({ 'X-App': 'app', 'X-Other': 'app' });
  next();
};

const OWN = { 'x-app': 'app', 'x-other': 'app' };
const UPSTREAMS = ['set-cookie', 'proxy-status'];

describe.each(proxyVersions)('the head of a response that breaks before its body, %s', (_name, hpm) => {
  async function headThen(then: 'close' | 'reset' | 'silence'): Promise<string> {
    return rawUpstream((socket) => {
      socket.on('data', () =>
        socket.write(HEAD, () => {
          if (then === 'close') socket.destroy();
          if (then === 'reset') socket.resetAndDestroy();
        }),
      );
    });
  }

  it.each([
    ['close', 502],
    ['reset', 502],
    ['silence', 504],
  ] as const)('is not part of the answer to a %s: a %d with what the app had set', async (then, status) => {
    const { url } = await proxyApp(hpm, await headThen(then), { before: [own], hangup: { deadline: 300 } });

    const { response } = await clientThatHangsUp(url);

    expect(response).toMatchObject({ status, complete: true, headers: OWN });
    for (const name of UPSTREAMS) expect(response?.headers).not.toHaveProperty(name);
  });

  it.each(['close', 'silence'] as const)(
    'does not give its length to what the user’s on.error answers to a %s',
    async (then) => {
      const error = (_error: Error, _req: unknown, res: unknown): void => {
        const answer = res as ServerResponse;
        if (!answer.headersSent) answer.writeHead(503).end('longer than nine bytes');
      };
      const { url } = await proxyApp(hpm, await headThen(then), {
        before: [own],
        hangup: { deadline: 300 },
        proxy: { on: { error } },
      });

      const { response } = await clientThatHangsUp(url);

      expect(response).toMatchObject({ status: 503, headers: OWN });
      for (const name of UPSTREAMS) expect(response?.headers).not.toHaveProperty(name);
      expect(response?.complete).toBe(true);
    },
  );

  it('does not give its status to an error that the user’s on.error throws', async () => {
    const error = (): void => {
      throw new Error('mine');
    };
    const { url } = await proxyApp(hpm, await headThen('silence'), {
      hangup: false,
      proxy: { proxyTimeout: 300, on: { error } },
    });

    expect((await clientThatHangsUp(url)).response?.status).toBe(500);
  });
});
