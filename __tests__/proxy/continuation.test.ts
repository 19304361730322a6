import express, { type ErrorRequestHandler } from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import type http from 'node:http';
import { clientThatHangsUp } from 'express-hangup/testing';
import { expressVersions, serve } from '../fixtures/serve';
import { createProxy, proxyVersions, startUpstream } from './fixture';

const says =
  (text: string): ErrorRequestHandler =>
  (_error, _req, res, _next) => {
    res.status(502).end(text);
  };

describe.each(proxyVersions)('where an upstream’s fault goes, %s', (_name, hpm) => {
  describe.each(expressVersions)('in %s', (_express, expressOf) => {
    it('is the error handler of the innermost router', async () => {
      const upstream = await startUpstream({ fault: 'reset' });
      const inner = expressOf.Router();
      inner.use(createProxy(hpm, { target: upstream.url }), says('inner'));
      const outer = expressOf.Router();
      outer.use('/in', inner);
      const { url } = await serve(expressOf().use('/out', outer, says('outer')).use(says('app')));

      expect((await clientThatHangsUp(url, { path: '/out/in' })).response?.text).toBe('inner');
    });

    it('is the next router outwards where the inner one has none', async () => {
      const upstream = await startUpstream({ fault: 'reset' });
      const inner = expressOf.Router();
      inner.all('/x', createProxy(hpm, { target: upstream.url }));
      const { url } = await serve(expressOf().use('/in', inner).use(gatewayErrorHandler()));

      expect((await clientThatHangsUp(url, { path: '/in/x' })).response?.status).toBe(502);
    });

    it('is a mounted app’s own, then that of the app it is mounted on', async () => {
      const upstream = await startUpstream({ fault: 'reset' });
      const own = expressOf().use(createProxy(hpm, { target: upstream.url }), says('mounted'));
      const without = expressOf().use(createProxy(hpm, { target: upstream.url }));
      const { url } = await serve(expressOf().use('/own', own).use('/without', without).use(says('app')));

      expect((await clientThatHangsUp(url, { path: '/own' })).response?.text).toBe('mounted');
      expect((await clientThatHangsUp(url, { path: '/without' })).response?.text).toBe('app');
    });

    it('is Express’s own handler where the app has none', async () => {
      const upstream = await startUpstream({ fault: ['reset', 'close-chunk'] });
      const app = expressOf()
        .set('env', 'test')
        .use(createProxy(hpm, { target: upstream.url }));
      const { url } = await serve(app);

      expect((await clientThatHangsUp(url)).response?.status).toBe(502);
      expect((await clientThatHangsUp(url)).response?.complete).toBe(false);
    });
  });

  it('is an answer of its own where there is no app', async () => {
    const upstream = await startUpstream({ fault: ['reset', 'close-chunk'] });
    const proxy = createProxy(hpm, { target: upstream.url });
    const { url } = await serve(((req, res) => void proxy(req, res)) satisfies http.RequestListener);

    const { response } = await clientThatHangsUp(url, { headers: { accept: 'application/json' } });

    expect(JSON.parse(response?.text ?? '')).toMatchObject({ status: 502, code: 'UPSTREAM_RESET' });
    expect((await clientThatHangsUp(url)).response?.complete).toBe(false);
  });

  it('is another proxy, if that is what the error handler does', async () => {
    const upstream = await startUpstream({ fault: 'reset' });
    const spare = await startUpstream();
    const fallback = createProxy(hpm, { target: spare.url });
    const app = express();
    app.use(hangup(), createProxy(hpm, { target: upstream.url }));
    app.use(((_error, req, res, next) => void fallback(req, res, next)) satisfies ErrorRequestHandler);
    const { url } = await serve(app);

    expect((await clientThatHangsUp(url)).response).toMatchObject({ status: 200, complete: true });
  });

  it('is the app’s, for what a router function throws and for a missing target', async () => {
    const app = express();
    const seen: unknown[] = [];
    const record: ErrorRequestHandler = (error, _req, res, _next) => {
      seen.push((error as Error).message);
      res.status(500).end();
    };
    const thrower = createProxy(hpm, { router: () => Promise.reject(new Error('no idea')) });
    const nowhere = createProxy(hpm, { router: () => undefined });
    app.use('/throws', thrower).use('/nowhere', nowhere).use(record);
    const { url } = await serve(app);

    expect((await clientThatHangsUp(url, { path: '/throws' })).response?.status).toBe(500);
    expect((await clientThatHangsUp(url, { path: '/nowhere' })).response?.status).toBe(500);
    expect(seen).toEqual(['no idea', 'Must provide a proper URL as target']);
  });
});
