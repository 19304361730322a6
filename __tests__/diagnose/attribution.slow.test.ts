import { once } from 'node:events';
import http from 'node:http';
import express, { type Request } from 'express';
import { classifyError, gatewayErrorHandler, hangup } from 'express-hangup';
import { diagnose, type Diagnosis, type FaultReport } from 'express-hangup/diagnose';
import { upstream as createUpstream } from 'express-hangup/upstream';
import { nativeRequire } from '../fixtures/native-require';
import { serve } from '../fixtures/serve';
import { clients, errorOf, request } from './clients';
import { ok, rst, scriptedUpstream, silence, type ScriptedUpstream } from './scripted-upstream';
import { until } from './until';

let diagnosis: Diagnosis;
beforeEach(() => (diagnosis = diagnose()));
afterEach(() => diagnosis.stop());

const rowsOf = ({ origin }: ScriptedUpstream): FaultReport[] =>
  diagnosis.report().faults.filter(({ upstream }) => upstream?.origin === origin);

/** An app whose one route calls the upstream; how, says the test. */
async function appThat(
  call: (req: Request) => Promise<unknown>,
  ...before: express.RequestHandler[]
): Promise<string> {
  const app = express();
  for (const middleware of before) app.use(middleware);
  app.get('/calls/:id', (req, res, next) => {
    call(req).then(
      () => res.send('ok'),
      (error: unknown) => next(error),
    );
  });
  app.use(gatewayErrorHandler());
  return (await serve(app)).url;
}

/** A client that asks, and leaves when the upstream has been asked. */
async function leave(url: string, upstream: ScriptedUpstream): Promise<void> {
  await until(() => upstream.sockets.size === 0);
  const req = http.get(`${url}/calls/1`, { agent: false });
  const failed = errorOf(once(req, 'response'));
  await until(() => upstream.sockets.size === 1);
  req.destroy();
  await failed;
}

describe.each(clients)('a client that leaves while %s waits', (_name, make) => {
  it('is no fault of the upstream, and no row', async () => {
    const client = make();
    const upstream = await scriptedUpstream(silence);
    const url = await appThat((req) => client.call(upstream.origin, { signal: req.signal }), hangup());
    for (let count = 0; count < 5; count++) await leave(url, upstream);
    await until(() => diagnosis.report().outcomes.total.clientClosed === 5);
    await until(() => upstream.sockets.size === 0);
    expect(rowsOf(upstream)).toEqual([]);
    const [origin] = diagnosis.report().origins.filter((log) => log.origin === upstream.origin);
    expect(origin).toMatchObject({ resets: { first: 0, reused: 0, unknown: 0 }, verdicts: {} });
    client.close();
  });

  it('does not cover up what the upstream did to others', async () => {
    const client = make();
    const upstream = await scriptedUpstream(silence);
    const url = await appThat((req) => client.call(upstream.origin, { signal: req.signal }), hangup());
    for (let count = 0; count < 3; count++) await leave(url, upstream);
    await until(() => upstream.sockets.size === 0);
    upstream.script = rst;
    expect((await fetch(`${url}/calls/1`)).status).toBe(502);
    expect(rowsOf(upstream)).toMatchObject([
      { code: 'UPSTREAM_RESET', status: 502, upstream: { trigger: 'rst', phase: 'waiting' } },
    ]);
    client.close();
  });
});

describe.each(clients)('a deadline that passes while %s waits', (_name, make) => {
  it('is told as the deadline, with the upstream that was waited for', async () => {
    const client = make();
    const upstream = await scriptedUpstream(silence);
    const url = await appThat(
      (req) => client.call(upstream.origin, { signal: req.signal }),
      hangup({ deadline: 250 }),
    );
    expect((await fetch(`${url}/calls/1`)).status).toBe(504);
    await until(() => rowsOf(upstream).length !== 0);
    for (const row of rowsOf(upstream))
      expect(row.upstream).toMatchObject({ trigger: 'deadline', verdict: 'dW1' });
    expect(diagnosis.report().origins.find(({ origin }) => origin === upstream.origin)?.resets).toEqual({
      first: 0,
      reused: 0,
      unknown: 0,
    });
    client.close();
  });
});

it('a handler that destroys its call when the client leaves, without hangup(), is no fault either', async () => {
  const upstream = await scriptedUpstream(silence);
  const url = await appThat(async (req) => {
    const outgoing = http.get(upstream.origin);
    req.res?.on('close', () => outgoing.destroy());
    await once(outgoing, 'response');
  });
  await leave(url, upstream);
  await until(() => upstream.sockets.size === 0);
  expect(rowsOf(upstream)).toEqual([]);
});

describe('a call that is sent again', () => {
  /** Resets the first so many requests, and answers the others. */
  const failing = (times: number) => {
    let left = times;
    return scriptedUpstream((socket, text) => (left-- > 0 ? rst : ok)(socket, text));
  };

  it('by got, and answered then, is no fault', async () => {
    const { default: got } = nativeRequire('got');
    const upstream = await failing(1);
    const url = await appThat(() =>
      got(upstream.origin, {
        retry: {
          limit: 1,
          calculateDelay: ({ computedValue }: { computedValue: number }) => (computedValue > 0 ? 1 : 0),
        },
      }).text(),
    );
    expect((await fetch(`${url}/calls/1`)).status).toBe(200);
    expect(rowsOf(upstream)).toEqual([]);
    expect(diagnosis.report().faultGroups).toEqual([]);
    expect(diagnosis.report().origins).toContainEqual(
      expect.objectContaining({ origin: upstream.origin, savedByRetry: 1 }),
    );
  });

  it('by upstream(), and answered then, is no fault', async () => {
    const upstream = await failing(2);
    const users = createUpstream(upstream.origin, { retries: 2 });
    const url = await appThat(async (req) => (await users.fetch(req, '/v1')).text());
    expect((await fetch(`${url}/calls/1`)).status).toBe(200);
    expect(rowsOf(upstream)).toEqual([]);
    await users.close();
  });

  it('by hand with fetch, and answered then, is no fault', async () => {
    const upstream = await failing(1);
    const url = await appThat(() => fetch(upstream.origin).catch(() => fetch(upstream.origin)));
    expect((await fetch(`${url}/calls/1`)).status).toBe(200);
    expect(rowsOf(upstream)).toEqual([]);
  });

  it('and answered by 503 is a fault all the same', async () => {
    const upstream = await scriptedUpstream(rst);
    const url = await appThat(async () => {
      await errorOf(fetch(upstream.origin));
      upstream.script = (socket) =>
        void socket.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
      await fetch(upstream.origin);
    });
    await fetch(`${url}/calls/1`);
    expect(rowsOf(upstream)).toHaveLength(1);
  });

  it('is one fault with the count of its tries, where none was answered', async () => {
    const upstream = await scriptedUpstream(rst);
    const url = await appThat(async () => {
      await errorOf(fetch(upstream.origin));
      await errorOf(fetch(upstream.origin));
      return fetch(upstream.origin);
    });
    expect((await fetch(`${url}/calls/1`)).status).toBe(502);
    const rows = rowsOf(upstream);
    // Before Node 24 it is not known that these calls were made for the same request.
    expect(rows).toHaveLength(hasContext ? 1 : 3);
    expect(rows[0]).toMatchObject({ status: 502, outcome: 'answered', attempts: hasContext ? 3 : 1 });
  });

  it('for another thing saves nothing', async () => {
    const upstream = await failing(1);
    const url = await appThat(async () => {
      await errorOf(fetch(`${upstream.origin}/lost`));
      return fetch(`${upstream.origin}/other`);
    });
    await fetch(`${url}/calls/1`);
    expect(rowsOf(upstream)).toHaveLength(1);
  });
});

const hasContext = Number(process.versions.node.split('.')[0]) >= 24;

/* eslint-disable jest/no-standalone-expect -- the rule does not know a test that is chosen by Node's version */
(hasContext ? it : it.skip)(
  'a fault that the app has dealt with has the route of its request (from Node 24 on)',
  async () => {
    const upstream = await scriptedUpstream(rst);
    const url = await appThat(() => errorOf(fetch(upstream.origin)));
    const headers = { traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`, 'x-request-id': 'req-7' };
    expect((await fetch(`${url}/calls/1`, { headers })).status).toBe(200);
    expect(rowsOf(upstream)).toMatchObject([
      {
        method: 'GET',
        route: '/calls/:id',
        outcome: undefined,
        ids: { traceId: 'ab'.repeat(16), requestId: 'req-7' },
      },
    ]);
  },
);
/* eslint-enable jest/no-standalone-expect */

describe('an error that only says so', () => {
  it.each([
    ['other side closed', {}],
    ['socket hang up', { code: 'ECONNRESET' }],
    ['read ECONNRESET', { code: 'ECONNRESET', syscall: 'read' }],
    ['write EPIPE', { code: 'EPIPE', syscall: 'write' }],
    [
      'Client network socket disconnected before secure TLS connection was established',
      { code: 'ECONNRESET' },
    ],
    ['socket idle timeout', {}],
  ])('does not blame the upstream for what the app has destroyed: %s', async (message, more) => {
    const upstream = await scriptedUpstream(silence);
    const req = http.get(upstream.origin);
    await until(() => upstream.sockets.size === 1);
    req.destroy(Object.assign(new Error(message), more));
    const [error] = (await once(req, 'error')) as [Error];
    expect(classifyError(error)?.upstream?.trigger ?? 'destroyed').toBe('destroyed');
    expect(diagnosis.report().origins[0]?.resets).toEqual({ first: 0, reused: 0, unknown: 0 });
    for (const row of rowsOf(upstream)) expect(row.upstream?.verdict).toBe('PW1');
  });
});

it('a proxy to an https upstream on another port than 443 names that port', async () => {
  const { createProxyMiddleware } = nativeRequire('http-proxy-middleware');
  const upstream = await scriptedUpstream(rst);
  const target = upstream.origin.replace('http:', 'https:');
  const app = express();
  app.use('/', createProxyMiddleware({ target, secure: false, logger: undefined }));
  const { url } = await serve(app);
  await request(url).catch(() => undefined);
  await until(() => diagnosis.report().faults.length !== 0);
  expect(diagnosis.report().faults.map(({ upstream: info }) => info?.origin)).toContain(target);
});
