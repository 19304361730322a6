import http from 'node:http';
import express from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { diagnose } from 'express-hangup/diagnose';
import { serve } from '../fixtures/serve';
import { errorOf, request } from './clients';
import { cutBody, ok, rst, scriptedUpstream } from './scripted-upstream';
import { until } from './until';

const SECRET = 'hunter2';

it('no path, query, header, credential, body or message of a request gets into a report', async () => {
  const diagnosis = diagnose();
  const upstream = await scriptedUpstream(rst);
  const agent = new http.Agent({ keepAlive: true });
  const calls = [
    () => request(`http://user:${SECRET}@127.0.0.1:${upstream.port}/${SECRET}?token=${SECRET}`, { agent }),
    () =>
      request(`${upstream.origin}/${SECRET}`, {
        agent,
        body: Buffer.from(SECRET.repeat(100)),
        headers: { Authorization: `Bearer ${SECRET}`, Cookie: SECRET, Host: `${SECRET}.example` },
      }),
    async () => {
      const headers = { 'x-key': SECRET };
      const url = `${upstream.origin}/${SECRET}?token=${SECRET}`;
      return (await fetch(url, { headers, method: 'POST', body: SECRET })).text();
    },
    () => request(upstream.origin, { signal: AbortSignal.abort(new Error(SECRET)) }),
    () =>
      request(upstream.origin, {
        signal: AbortSignal.abort(Object.assign(new Error(), { code: SECRET, name: SECRET })),
      }),
    () =>
      request(upstream.origin, {
        signal: AbortSignal.abort(
          Object.assign(new Error('a certificate'), { code: 'CERT_HAS_EXPIRED', cause: { code: SECRET } }),
        ),
      }),
  ];
  const app = express();
  app.use(hangup());
  app.post('/calls/:n', async (req, res) => {
    await calls[Number(req.params.n)]?.();
    res.end();
  });
  app.use(gatewayErrorHandler());
  app.use(
    (_error: unknown, _req: unknown, res: express.Response, next: unknown) =>
      void (next && res.status(500).end()),
  );
  const { url } = await serve(app);
  for (const script of [rst, cutBody('fin'), cutBody('rst')]) {
    upstream.script = script;
    for (const at of calls.keys()) {
      await fetch(`${url}/calls/${at}?token=${SECRET}`, {
        method: 'POST',
        headers: { cookie: SECRET },
        body: SECRET,
      });
      await errorOf(
        Promise.resolve()
          .then(calls[at])
          .then(() => Promise.reject(new Error('no failure'))),
      );
    }
  }
  upstream.script = ok;
  await fetch(`${url}/${SECRET}/unknown`);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const report = diagnosis.report();
  agent.destroy();
  diagnosis.stop();
  expect(report.faults.length).toBeGreaterThan(20);
  expect(report.origins.map(({ origin }) => origin)).toContain(upstream.origin);
  expect(JSON.stringify(report)).not.toContain(SECRET);
});

it('a request that matches no route is shown without its path', async () => {
  const diagnosis = diagnose();
  const app = express();
  app.use(() => undefined);
  const { url, server } = await serve(app);
  const call = errorOf(request(`${url}/${SECRET}`));
  await until(() => diagnosis.report().live.count !== 0);
  const [shown] = diagnosis.report().live.requests;
  expect(shown?.route).toBeUndefined();
  expect(JSON.stringify(diagnosis.report())).not.toContain(SECRET);
  server.closeAllConnections();
  await call;
  diagnosis.stop();
});
