import { deadline, drainable, hangup, gatewayErrorHandler } from 'express-hangup';
import { clientThatHangsUp } from 'express-hangup/testing';
import express from 'express';
import { setTimeout as sleep } from 'node:timers/promises';
import { collect } from '../fixtures/events';
import { serve } from '../fixtures/serve';
import { createProxy, proxyApp, proxyVersions, startUpstream } from './fixture';
import { rawUpstream } from './raw-upstream';

const JSON_CLIENT = { headers: { accept: 'application/json' } };

function codeOf(text: string | undefined): unknown {
  return (JSON.parse(text ?? '') as { code?: unknown }).code;
}

describe.each(proxyVersions)('the deadline, %s', (_name, hpm) => {
  it.each(['hang', 'hang-headers'] as const)(
    'ends an upstream that does not answer (%s) with 504',
    async (fault) => {
      const upstream = await startUpstream({ fault });
      const { url, errors } = await proxyApp(hpm, upstream.url, { hangup: { deadline: 100 } });

      const { response } = await clientThatHangsUp(url, JSON_CLIENT);
      const { by } = await upstream.untilClosed(await upstream.nextAttempt());

      expect([response?.status, codeOf(response?.text), by]).toEqual([504, 'DEADLINE_EXCEEDED', 'client']);
      expect(errors).toHaveLength(1);
    },
  );

  it('knows which upstream it was that took the time', async () => {
    const upstream = await startUpstream({ fault: 'hang' });
    const { url } = await proxyApp(hpm, upstream.url, { hangup: { deadline: 100 } });
    const faults = collect('fault');

    await clientThatHangsUp(url);

    expect(await faults.next()).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      upstream: { origin: upstream.origin, phase: 'waiting' },
    });
  });

  it('ends a TLS handshake that hangs', async () => {
    const upstream = await startUpstream({ tls: 'hang' });
    const { url } = await proxyApp(hpm, upstream.url, { hangup: { deadline: 100 } });

    const { response } = await clientThatHangsUp(url, JSON_CLIENT);

    expect([response?.status, codeOf(response?.text)]).toEqual([504, 'DEADLINE_EXCEEDED']);
    await upstream.allClosed();
  });

  it('gives a slow error handler the reason only once', async () => {
    const upstream = await startUpstream({ fault: 'hang' });
    const { url, errors } = await proxyApp(hpm, upstream.url, {
      hangup: { deadline: 50, grace: 10 },
      errorHandler: async (error: Error, _req, res, _next) => {
        await sleep(60);
        res.status(504).end(error.name);
      },
    });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, response?.text]).toEqual([504, 'TimeoutError']);
    expect(errors).toHaveLength(1);
  });

  it('of a route may be longer than the app’s', async () => {
    const upstream = await startUpstream({ fault: { fault: 'slow', ms: 150 } });
    const { url } = await proxyApp(hpm, upstream.url, {
      hangup: { deadline: 50 },
      before: [deadline(10_000)],
    });

    expect((await clientThatHangsUp(url)).response?.status).toBe(200);
  });

  it('of a route may be shorter, in a router with its own error handler', async () => {
    const upstream = await startUpstream({ fault: 'hang' });
    const app = express();
    const router = express.Router();
    router.use(deadline(50), createProxy(hpm, { target: upstream.url }));
    router.use(((error: Error, _req, res, _next) => {
      res.status(504).end(`router: ${error.name}`);
    }) satisfies express.ErrorRequestHandler);
    app.use(hangup(), router, gatewayErrorHandler());
    const { url } = await serve(app);

    expect((await clientThatHangsUp(url)).response?.text).toBe('router: TimeoutError');
  });

  it('does not touch a response that has begun, nor an event stream', async () => {
    const upstream = await startUpstream({
      fault: { fault: 'drip', ms: 20, chunks: 12, headers: { 'content-type': 'text/event-stream' } },
    });
    const { url } = await proxyApp(hpm, upstream.url, { hangup: { deadline: 100 } });

    const { response } = await clientThatHangsUp(url);

    expect(response).toMatchObject({ status: 200, complete: true, bodyBytes: 1000 });
  });

  it('until the finish breaks a response that takes longer', async () => {
    const upstream = await startUpstream({ fault: { fault: 'drip', ms: 50, chunks: 100 } });
    const { url, errors } = await proxyApp(hpm, upstream.url, {
      before: [deadline(200, { until: 'finish' })],
    });

    const { response } = await clientThatHangsUp(url);

    expect(response).toMatchObject({ status: 200, complete: false });
    expect((await upstream.untilClosed(await upstream.nextAttempt())).by).toBe('client');
    expect(errors).toMatchObject([{ code: 'DEADLINE_EXCEEDED' }]);
  });

  it('that has passed already while the router looks for a target starts no upstream request', async () => {
    const upstream = await startUpstream();
    const { url } = await proxyApp(hpm, undefined, {
      hangup: { deadline: 30, grace: 0 },
      proxy: { router: () => sleep(80, upstream.url) },
    });

    const { response } = await clientThatHangsUp(url, { stay: 100 });

    expect(response?.status).toBe(504);
    expect(upstream.attempts).toEqual([]);
  });
});

describe.each(proxyVersions)('silence of the upstream, %s', (_name, hpm) => {
  it.each(['hang-body'] as const)('amid the body (%s) is cut by hangup()’s stall', async (fault) => {
    const upstream = await startUpstream({ fault });
    const { url } = await proxyApp(hpm, upstream.url, { hangup: { stall: 100 } });

    const { response } = await clientThatHangsUp(url);

    expect(response).toMatchObject({ status: 200, complete: false });
    expect((await upstream.untilClosed(await upstream.nextAttempt())).by).toBe('client');
  });

  it.each(['proxyTimeout', 'timeout'])(
    'before the headers is answered 504 UPSTREAM_TIMEOUT by %s',
    async (option) => {
      const upstream = await startUpstream({ fault: 'hang' });
      const { url } = await proxyApp(hpm, upstream.url, { proxy: { [option]: 100 } });

      const { response } = await clientThatHangsUp(url, JSON_CLIENT);

      expect([response?.status, codeOf(response?.text)]).toEqual([504, 'UPSTREAM_TIMEOUT']);
      expect((await upstream.untilClosed(await upstream.nextAttempt())).by).toBe('client');
    },
  );

  it('in its TLS handshake is answered 504 by proxyTimeout', async () => {
    const upstream = await startUpstream({ tls: 'hang' });
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { proxyTimeout: 100 } });

    const { response } = await clientThatHangsUp(url, JSON_CLIENT);

    expect([response?.status, codeOf(response?.text)]).toEqual([504, 'UPSTREAM_TIMEOUT']);
  });

  it('amid the body breaks the response by proxyTimeout', async () => {
    const upstream = await startUpstream({ fault: 'hang-body' });
    const { url, errors } = await proxyApp(hpm, upstream.url, { proxy: { proxyTimeout: 100 } });

    const { response } = await clientThatHangsUp(url);

    expect(response).toMatchObject({ status: 200, complete: false });
    expect(errors).toMatchObject([{ code: 'ETIMEDOUT' }]);
  });

  it('that is shorter than proxyTimeout harms nobody, also on a connection that is used again', async () => {
    const upstream = await startUpstream({ fault: { fault: 'drip', ms: 40, chunks: 20 } });
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { proxyTimeout: 600 } });

    for (let i = 0; i < 2; i++) {
      expect((await clientThatHangsUp(url)).response).toMatchObject({ status: 200, complete: true });
    }
  });
});

describe.each(proxyVersions)('a drain, %s', (_name, hpm) => {
  it('lets a proxied request finish', async () => {
    const upstream = await startUpstream({ fault: { fault: 'slow', ms: 200 } });
    const { url, server } = await proxyApp(hpm, upstream.url);
    const { drain } = drainable(server, { delay: 0, signals: [] });
    const account = clientThatHangsUp(url, JSON_CLIENT);
    await upstream.nextAttempt();

    const report = await drain();

    expect((await account).response).toMatchObject({ status: 200, complete: true });
    expect(report).toMatchObject({ finished: 1, aborted: 0, forced: 0 });
  });

  it('that has no more time reaches the upstream, and the client gets its 503', async () => {
    const upstream = await startUpstream({ fault: 'hang' });
    const { url, server } = await proxyApp(hpm, upstream.url);
    const { drain } = drainable(server, { delay: 0, timeout: 100, signals: [] });
    const account = clientThatHangsUp(url, JSON_CLIENT);
    const attempt = await upstream.nextAttempt();

    const report = await drain();

    const { response } = await account;
    expect([response?.status, codeOf(response?.text)]).toEqual([503, 'SERVER_DRAINING']);
    expect(report).toMatchObject({ finished: 0, aborted: 1, forced: 0 });
    expect((await upstream.untilClosed(attempt)).by).toBe('client');
    await upstream.allClosed();
  });
});

describe.each(proxyVersions)('an answer that somebody else gives, %s', (_name, hpm) => {
  it('frees the upstream, and is not cut by it', async () => {
    const upstream = await startUpstream({ fault: 'hang' });
    const { url, errors } = await proxyApp(hpm, upstream.url, {
      before: [
        (_req, res, next) => {
          void upstream.nextAttempt().then(() => res.status(503).end('impatient'));
          next();
        },
      ],
    });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, response?.text, response?.complete]).toEqual([503, 'impatient', true]);
    await upstream.allClosed();
    expect(errors).toEqual([]);
  });

  it('while the upstream’s response is being collected is not cut by it either', async () => {
    const target = await rawUpstream('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc');
    const { url, errors } = await proxyApp(hpm, target, {
      proxy: {
        selfHandleResponse: true,
        on: { proxyRes: (_proxyRes, _req, res) => setTimeout(() => res.writeHead(503).end('impatient'), 20) },
      },
    });

    const { response } = await clientThatHangsUp(url, { stay: 30 });

    expect([response?.status, response?.text, response?.complete]).toEqual([503, 'impatient', true]);
    expect(errors).toEqual([]);
  });
});
