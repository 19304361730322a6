import { clientThatHangsUp } from 'express-hangup/testing';
import http from 'node:http';
import { RawClient } from '../fixtures/raw-client';
import { gate, listen } from '../fixtures/serve';
import { createProxy, proxyApp, proxyVersions, startUpstream, type AnyOptions } from './fixture';

const bug = new Error('a bug');
const throws = (): never => {
  throw bug;
};
const rejects = (): Promise<never> => Promise.reject(bug);
const later = async (): Promise<never> => {
  await new Promise(setImmediate);
  throw bug;
};

const WAYS: [string, () => unknown][] = [
  ['throws', throws],
  ['rejects', rejects],
  ['rejects later', later],
];

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

interface Emitter {
  on: (event: string, listener: () => unknown) => unknown;
}

describe.each(proxyVersions)('what the user’s own code does wrong, %s', (_name, hpm) => {
  describe.each(WAYS)('an on.… that %s', (_how, handler) => {
    it.each(['start', 'proxyReq', 'proxyRes'])('in %s is for the app’s error handlers', async (event) => {
      const upstream = await startUpstream({ fault: { fault: 'slow', ms: 100 } });
      const { url, errors } = await proxyApp(hpm, upstream.url, { proxy: { on: { [event]: handler } } });

      const { response } = await clientThatHangsUp(url);

      // A response that is whole before a promise has been rejected is passed on.
      const wanted = response?.status === 200 ? [200, errors] : [500, [bug]];
      expect([response?.status, errors]).toEqual(wanted);
      expect(response?.complete).toBe(true);
    });

    it('in end does no harm to the response, and on.error hears of it', async () => {
      const upstream = await startUpstream();
      const heard = gate<Error>();
      const { url } = await proxyApp(hpm, upstream.url, {
        proxy: { on: { end: handler, error: (error) => heard.open(error) } },
      });

      const { response } = await clientThatHangsUp(url);

      expect([response?.status, response?.complete, await heard.promise]).toEqual([200, true, bug]);
    });

    it('in econnreset, where the client is gone, is for on.error', async () => {
      const upstream = await startUpstream({ fault: 'hang' });
      const told = gate();
      const { url } = await proxyApp(hpm, upstream.url, {
        proxy: {
          on: {
            econnreset: () => {
              told.open();
              return handler();
            },
          },
        },
      });

      await clientThatHangsUp(url, { leave: 'after-request', after: upstream.nextAttempt() });
      await told.promise;
      await new Promise(setImmediate);

      upstream.use('ok');
      expect((await clientThatHangsUp(url)).response?.status).toBe(200);
    });

    it.each(['proxyReq', 'proxyRes', 'error'])(
      'a plugin’s listener of %s is for the app’s error handlers',
      async (event) => {
        const upstream = await startUpstream({
          fault: event === 'error' ? 'reset' : { fault: 'slow', ms: 50 },
        });
        const plugin = (server: Emitter): unknown => server.on(event, handler);
        const { url } = await proxyApp(hpm, upstream.url, { proxy: { plugins: [plugin] } });

        const { response } = await clientThatHangsUp(url);

        expect([200, 500, 502]).toContain(response?.status);
        expect(response?.complete).toBe(true);
      },
    );

    it('in proxyReqWs is answered 500 on the socket', async () => {
      const upstream = await startUpstream({ fault: 'hang' });
      const { port, server } = await webSocketProxy(hpm, upstream.url, { on: { proxyReqWs: handler } });
      const client = await RawClient.connect(port);

      client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');

      expect((await client.response()).status).toBe(500);
      expect(server.listening).toBe(true);
      client.leave('fin');
    });
  });

  it('a proxyReq that throws never reaches the upstream', async () => {
    const upstream = await startUpstream();
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { on: { proxyReq: throws } } });

    expect((await clientThatHangsUp(url)).response?.status).toBe(500);
    expect(upstream.attempts).toEqual([]);
  });

  it.each(WAYS)('an interceptor that %s is for the app’s error handlers', async (_how, interceptor) => {
    const upstream = await startUpstream();
    const { url, errors } = await proxyApp(hpm, upstream.url, {
      proxy: {
        selfHandleResponse: true,
        on: { proxyRes: hpm.responseInterceptor(interceptor as () => Promise<string>) },
      },
    });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, response?.complete, errors]).toEqual([500, true, [bug]]);
  });

  it.each(['info', 'error'])('a logger whose %s throws does not end the process', async (level) => {
    const upstream = await startUpstream({ fault: level === 'error' ? 'reset' : 'ok' });
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { logger: { ...silent, [level]: throws } } });

    const { response } = await clientThatHangsUp(url);

    // Version 4 catches the first by itself.
    expect([200, 500]).toContain(response?.status);
    expect(response?.complete).toBe(true);
  });

  it.each(WAYS)(
    'a router that %s is for the app’s error handlers, and a pathRewrite',
    async (_how, handler) => {
      const upstream = await startUpstream();
      for (const proxy of [{ router: handler }, { pathRewrite: handler }]) {
        const { url, errors } = await proxyApp(hpm, upstream.url, { proxy });
        expect((await clientThatHangsUp(url)).response?.status).toBe(500);
        expect(errors).toEqual([bug]);
      }
    },
  );

  it('a listener that a plugin takes off again is off', async () => {
    const upstream = await startUpstream();
    const listener = jest.fn();
    const plugin = (server: Emitter & { off: (event: string, listener: () => unknown) => void }): void => {
      server.on('proxyReq', listener);
      server.off('proxyReq', listener);
    };
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { plugins: [plugin] } });

    await clientThatHangsUp(url);

    expect(listener).not.toHaveBeenCalled();
  });
});

async function webSocketProxy(hpm: (typeof proxyVersions)[0][1], target: string, options: AnyOptions) {
  const proxy = createProxy(hpm, { target, ...options });
  const served = await listen(http.createServer());
  served.server.on('upgrade', (req, socket, head) => proxy.upgrade(req as never, socket as never, head));
  return served;
}

describe.each(proxyVersions)('the status of an error, %s', (_name, hpm) => {
  it('is that of the fault, for Express’s own handler and whoever looks at it', async () => {
    const upstream = await startUpstream({ fault: 'reset' });
    const { url, errors } = await proxyApp(hpm, upstream.url, {
      errorHandler: (error, _req, _res, next) => next(error),
    });

    const { response } = await clientThatHangsUp(url);

    expect(response?.status).toBe(502);
    expect(errors).toEqual([expect.objectContaining({ code: 'ECONNRESET' })]);
    const error = errors[0] as { status: number; statusCode: number };
    expect([error.status, error.statusCode, Object.keys(error).includes('status')]).toEqual([
      502,
      502,
      false,
    ]);
  });

  it('is 504 where the upstream was too slow', async () => {
    const upstream = await startUpstream({ fault: 'hang' });
    const { url } = await proxyApp(hpm, upstream.url, {
      hangup: false,
      proxy: { proxyTimeout: 50 },
      errorHandler: (error, _req, _res, next) => next(error),
    });

    expect((await clientThatHangsUp(url)).response?.status).toBe(504);
  });

  it('stays what it was where it has one', async () => {
    const teapot = Object.assign(new Error('short and stout'), { statusCode: 418 });
    const upstream = await startUpstream();
    const { url } = await proxyApp(hpm, upstream.url, {
      proxy: { on: { proxyReq: () => Promise.reject(teapot) } },
      errorHandler: (error, _req, _res, next) => next(error),
    });

    expect((await clientThatHangsUp(url)).response?.status).toBe(418);
  });
});
