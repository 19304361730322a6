import { clientThatHangsUp } from 'express-hangup/testing';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { proxyApp, proxyVersions, startUpstream } from './fixture';

describe.each(proxyVersions)('the user’s own on.error, %s', (_name, hpm) => {
  it('is asked first and may answer itself', async () => {
    const upstream = await startUpstream({ fault: 'reset' });
    const { url, errors } = await proxyApp(hpm, upstream.url, {
      proxy: {
        on: { error: (error, _req, res) => (res as http.ServerResponse).writeHead(599).end(error.message) },
      },
    });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, errors]).toEqual([599, []]);
  });

  it('may answer later, when it returns a promise', async () => {
    const upstream = await startUpstream({ fault: 'reset' });
    const { url, errors } = await proxyApp(hpm, upstream.url, {
      proxy: {
        on: {
          error: async (_error, _req, res) => {
            await sleep(20);
            (res as http.ServerResponse).writeHead(599).end();
          },
        },
      },
    });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, errors]).toEqual([599, []]);
  });

  it.each([
    ['returns', () => undefined],
    ['resolves', () => Promise.resolve()],
  ])('that only logs and %s leaves the answer to the app', async (_how, error) => {
    const upstream = await startUpstream({ fault: 'reset' });
    const onError = jest.fn(error);
    const { url, errors } = await proxyApp(hpm, upstream.url, { proxy: { on: { error: onError } } });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, errors.length, onError.mock.calls.length]).toEqual([502, 1, 1]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('a bug');
      },
    ],
    ['rejects', () => Promise.reject(new Error('a bug'))],
  ])('that %s hands its own error to the app, and the process lives', async (_how, error) => {
    const upstream = await startUpstream({ fault: 'reset' });
    const { url, errors } = await proxyApp(hpm, upstream.url, { proxy: { on: { error } } });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, errors]).toEqual([500, [expect.objectContaining({ message: 'a bug' })]]);
  });

  it('hears of a response that broke, once, and can add nothing to it', async () => {
    const upstream = await startUpstream({ fault: 'reset-chunk' });
    const onError = jest.fn((_error: Error, _req: unknown, res: unknown) => {
      (res as http.ServerResponse).end('Something went wrong');
    });
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { on: { error: onError } } });

    const { response } = await clientThatHangsUp(url);

    expect(response?.complete).toBe(false);
    expect(response?.text).not.toContain('wrong');
    expect(onError).toHaveBeenCalledTimes(1);
  });

  it('gets the reason when the deadline passes', async () => {
    const upstream = await startUpstream({ fault: 'hang' });
    const codes: unknown[] = [];
    const { url } = await proxyApp(hpm, upstream.url, {
      hangup: { deadline: 50 },
      proxy: { on: { error: (error) => codes.push((error as NodeJS.ErrnoException).code) } },
    });

    await clientThatHangsUp(url);

    expect(codes).toEqual(['DEADLINE_EXCEEDED']);
  });
});

describe.each(proxyVersions)('the user’s other options, %s', (_name, hpm) => {
  it('on, plugins and logger run in http-proxy-middleware’s order', async () => {
    const upstream = await startUpstream();
    const order: string[] = [];
    const { url } = await proxyApp(hpm, upstream.url, {
      proxy: {
        on: {
          start: () => order.push('on.start'),
          proxyReq: (proxyReq) => {
            order.push('on.proxyReq');
            proxyReq.setHeader('x-added', 'yes');
          },
          proxyRes: (proxyRes) => {
            order.push('on.proxyRes');
            proxyRes.headers['x-added'] = 'too';
          },
          end: () => order.push('on.end'),
        },
        plugins: [
          (server: { on: (event: string, listener: () => void) => void }) => {
            server.on('proxyReq', () => order.push('plugin.proxyReq'));
            server.on('proxyRes', () => order.push('plugin.proxyRes'));
          },
        ],
        logger: { info: () => order.push('logger.info'), warn: () => undefined, error: () => undefined },
      },
    });

    const { response } = await clientThatHangsUp(url);

    expect(order).toEqual([
      'on.start',
      'on.proxyReq',
      'plugin.proxyReq',
      'on.proxyRes',
      'logger.info',
      'plugin.proxyRes',
      'on.end',
    ]);
    expect(response?.headers['x-added']).toBe('too');
    expect((await upstream.nextAttempt()).headers['x-added']).toBe('yes');
  });

  it('the logger hears of an upstream’s fault', async () => {
    const upstream = await startUpstream({ fault: 'reset' });
    const error = jest.fn();
    const { url } = await proxyApp(hpm, upstream.url, {
      proxy: { logger: { info: () => undefined, warn: () => undefined, error } },
    });

    await clientThatHangsUp(url);

    expect(error).toHaveBeenCalledTimes(1);
  });

  it('ejectPlugins without plugins still answers faults and breaks fragments', async () => {
    const upstream = await startUpstream({ fault: ['reset', 'close-chunk', 'ok'] });
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { ejectPlugins: true } });

    expect((await clientThatHangsUp(url)).response?.status).toBe(502);
    expect((await clientThatHangsUp(url)).response?.complete).toBe(false);
    expect((await clientThatHangsUp(url)).response?.complete).toBe(true);
  });

  it('ejectPlugins with the default plugins listed lets errorResponsePlugin answer, but not spoil a body', async () => {
    const upstream = await startUpstream({ fault: ['reset', 'reset-chunk'] });
    const { debugProxyErrorsPlugin, proxyEventsPlugin, loggerPlugin, errorResponsePlugin } = hpm;
    const onError = jest.fn();
    const { url } = await proxyApp(hpm, upstream.url, {
      proxy: {
        ejectPlugins: true,
        plugins: [debugProxyErrorsPlugin, proxyEventsPlugin, loggerPlugin, errorResponsePlugin],
        on: { error: onError },
      },
    });

    const first = await clientThatHangsUp(url);
    const second = await clientThatHangsUp(url);

    expect(first.response?.text).toContain('Error occurred while trying to proxy');
    expect(second.response?.complete).toBe(false);
    expect(second.response?.text).not.toContain('Error');
    expect(onError).toHaveBeenCalledTimes(2);
  });

  it('an agent of the user’s own is used', async () => {
    const upstream = await startUpstream();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { agent } });

    await Promise.all([clientThatHangsUp(url), clientThatHangsUp(url)]);

    expect(upstream.connections).toHaveLength(1);
    expect(Object.keys(agent.freeSockets)).toHaveLength(1);
    agent.destroy();
  });

  it('agent: false is a connection for each request', async () => {
    const upstream = await startUpstream();
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { agent: false } });

    await clientThatHangsUp(url);
    await clientThatHangsUp(url);

    expect(upstream.attempts.map(({ headers }) => headers.connection)).toEqual(['close', 'close']);
  });

  it('a failing mirror (forward) is not the client’s business', async () => {
    const upstream = await startUpstream({ fault: { fault: 'slow', ms: 50 } });
    const mirror = await startUpstream({ fault: 'reset' });
    const { url, errors } = await proxyApp(hpm, upstream.url, { proxy: { forward: mirror.url } });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, errors]).toEqual([200, []]);
    expect(mirror.attempts).toHaveLength(1);
  });

  it('the given options are not changed', () => {
    const { hangupProxy } = jest.requireActual<typeof import('express-hangup/proxy')>('express-hangup/proxy');
    const options = Object.freeze({
      target: 'http://127.0.0.1',
      on: Object.freeze({}),
      plugins: Object.freeze([]),
    });

    expect(hangupProxy(options)).not.toBe(options);
  });
});
