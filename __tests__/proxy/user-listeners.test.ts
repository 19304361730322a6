import { clientThatHangsUp } from 'express-hangup/testing';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { gate } from '../fixtures/serve';
import { proxyApp, proxyVersions, startUpstream } from './fixture';

const bug = new Error('a bug');
const throws = (): never => {
  throw bug;
};
const rejects = (): Promise<never> => Promise.reject(bug);

describe.each(proxyVersions)('listeners that the user’s handlers add, %s', (_name, hpm) => {
  describe.each([
    ['throws', 'data', throws],
    ['throws', 'end', throws],
    ['rejects', 'data', rejects],
    ['rejects', 'end', rejects],
  ])('to the upstream’s response: one that %s in %s', (_how, event, listener) => {
    const listening = {
      proxyRes(proxyRes: IncomingMessage) {
        proxyRes.on(event, listener as () => void);
        proxyRes.resume();
      },
    };

    it('is for the app’s error handlers where the user sends the response', async () => {
      const upstream = await startUpstream();
      const { url, errors } = await proxyApp(hpm, upstream.url, {
        proxy: { selfHandleResponse: true, on: listening },
      });

      const { response } = await clientThatHangsUp(url);

      expect([response?.status, response?.complete, errors]).toEqual([500, true, [bug]]);
    });

    it('is told to on.error where the response has been passed on completely', async () => {
      const upstream = await startUpstream();
      const heard = gate<unknown>();
      const { url } = await proxyApp(hpm, upstream.url, {
        proxy: { on: { ...listening, error: (error) => heard.open(error) } },
        // It would answer a response that is still being passed on.
        errorHandler: (_error, _req, res, _next) => res.status(500).end(),
      });

      const { response } = await clientThatHangsUp(url);

      const told = response?.status === 200 ? await heard.promise : bug;
      expect([response?.complete, told]).toEqual([true, bug]);
    });
  });

  it('to the upstream’s response: one that throws amid a body cuts what is passed on', async () => {
    const upstream = await startUpstream({ fault: { fault: 'drip', bytes: 1000, chunks: 100 } });
    const { url, errors } = await proxyApp(hpm, upstream.url, {
      proxy: { on: { proxyRes: (proxyRes: IncomingMessage) => proxyRes.on('data', throws) } },
    });

    const { response } = await clientThatHangsUp(url);

    expect([response?.complete === true, errors]).toEqual([false, [bug]]);
  });

  it('one that throws in response to the upstream’s request leaves none of the upstream’s headers', async () => {
    const upstream = await startUpstream();
    const { url } = await proxyApp(hpm, upstream.url, {
      proxy: {
        on: {
          proxyReq(proxyReq: ClientRequest) {
            proxyReq.on('response', (response) => {
              response.headers['x-seen'] = 'yes';
              throws();
            });
          },
        },
      },
      errorHandler: (_error, _req, res, _next) => {
        res.statusCode = 502;
        res.end('sorry');
      },
    });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, String(response?.body), response?.complete]).toEqual([502, 'sorry', true]);
    expect(response?.headers).not.toHaveProperty('content-type');
    expect(response?.headers['content-length'] ?? '5').toBe('5');
  });
});
