import http from 'node:http';
import express from 'express';
import { classifyError, gatewayErrorHandler, hangup } from 'express-hangup';
import { diagnose, faultLine, type FaultLine } from 'express-hangup/diagnose';
import { channels } from '../../src/events';
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

it('a message of an error that looks like a stack is not shown as the line of a late handler', () => {
  const diagnosis = diagnose();
  const late = { method: 'GET', route: '/a', ms: 1, call: 'next', lateMs: 1 };
  const error = new Error(`no such file: x\n    at ${SECRET} (/app/${SECRET}.js:1:1)`);
  channels.lateResponse.publish({ ...late, stack: error.stack, error });
  const [first] = diagnosis.report().late;
  error.message = 'another';
  channels.lateResponse.publish({ ...late, stack: error.stack, error });
  const [second] = diagnosis.report().late;
  diagnosis.stop();
  expect(first?.where).toContain('privacy.test.ts');
  expect(second?.where).toBeUndefined();
});

it('a method that a client makes up is not shown, and makes no route of its own', async () => {
  const diagnosis = diagnose();
  const app = express();
  app.use((req, _res, next) => {
    req.method = String(req.headers['x-method']);
    next();
  });
  app.use((_req, _res, next) =>
    next(Object.assign(new Error('reset'), { code: 'ECONNRESET', syscall: 'read' })),
  );
  const lines: unknown[] = [];
  app.use(gatewayErrorHandler({ onFault: (fault, req) => lines.push(faultLine(fault, req)) }));
  const { url } = await serve(app);
  for (let n = 0; n < 5; n++) await request(url, { headers: { 'x-method': `${SECRET}${n}` } });
  await until(() => diagnosis.report().outcomes.total.badGateway === 5);
  const report = diagnosis.report();
  diagnosis.stop();
  expect(report.routes).toMatchObject([{ method: '_OTHER', requests: 5 }]);
  expect(report.faultGroups).toMatchObject([{ count: 5, last: { method: '_OTHER' } }]);
  expect(JSON.stringify([report, lines])).not.toContain(SECRET);
});

it('a host that a client has chosen cannot forge a line of a log', async () => {
  const diagnosis = diagnose();
  const lookup = (_host: string, _options: unknown, done: (error: Error) => void): void =>
    done(Object.assign(new Error('no'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }));
  const host = 'a\n2026 ERROR forged\u001b[31m\u009b32m\u2028\u202eb';
  const error: unknown = await errorOf(
    request('http://127.0.0.1:3001', {
      hostname: host,
      lookup: lookup as never,
      headers: { host: 'a.example' },
    }),
  );
  const fault = classifyError(error);
  diagnosis.stop();
  expect(fault).toBeDefined();
  const line = fault && faultLine(fault, { method: 'GET', headers: {} } as never);
  expect(line?.msg).toBe('502 UPSTREAM_UNREACHABLE by http://a?2026 ERROR forged?[31m?32m??b:3001');
  expect(JSON.stringify(line)).toMatch(/^[\x20-\x7e]+$/);
});

it('ids of sixty kilobytes, with commands for a terminal or of no id at all are left out', async () => {
  const diagnosis = diagnose();
  const app = express();
  app.use((_req, _res, next) =>
    next(Object.assign(new Error('reset'), { code: 'ECONNRESET', syscall: 'read' })),
  );
  const lines: FaultLine[] = [];
  app.use(gatewayErrorHandler({ onFault: (fault, req) => lines.push(faultLine(fault, req)) }));
  const { url } = await serve(app, { maxHeaderSize: 200_000 });
  const trace = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
  const bad = [
    'x'.repeat(60_000),
    '\u00e9\u009b31m',
    '__proto__ constructor',
    `${trace}-${'y'.repeat(60_000)}`,
  ];
  for (const value of bad) await request(url, { headers: { 'x-request-id': value, traceparent: value } });
  diagnosis.stop();
  expect(lines.map(({ requestId, traceId }) => [requestId, traceId?.length])).toEqual([
    ...[
      [undefined, undefined],
      [undefined, undefined],
      [undefined, undefined],
      [undefined, 32],
    ],
  ]);
});
