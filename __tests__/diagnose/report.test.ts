import { once } from 'node:events';
import http from 'node:http';
import express from 'express';
import { deadline, gatewayErrorHandler, hangup, tuneServer } from 'express-hangup';
import { diagnose, type Diagnosis, type Report } from 'express-hangup/diagnose';
import { aborted, expressVersions, gate, serve } from '../fixtures/serve';
import { collect } from '../fixtures/events';
import { TimeHistogram } from '../../src/diagnose/requests/time-histogram';
import { passTime } from './passing-time';
import { ok, rst, scriptedUpstream, silence } from './scripted-upstream';
import { request } from './clients';
import { until } from './until';

let diagnosis: Diagnosis;
beforeEach(() => (diagnosis = diagnose()));
afterEach(() => diagnosis.stop());

/** The report, once it says what is waited for. */
async function reportWhere(condition: (report: Report) => boolean): Promise<Report> {
  await until(() => condition(diagnosis.report()));
  return diagnosis.report();
}

async function status(url: string, init?: RequestInit): Promise<number> {
  const response = await fetch(url, init);
  await response.text();
  return response.status;
}

describe.each(expressVersions)('the report of an app on %s', (_name, make) => {
  it('shows a request in flight with its route, its age and the time that it has left', async () => {
    const done = gate();
    const app = make();
    app.use(hangup({ deadline: 20_000 }));
    app.get('/users/:id', async (_req, res) => {
      await done.promise;
      res.end();
    });
    const { url } = await serve(app as never);
    const answer = status(`${url}/users/secret?token=secret`);
    const { live } = await reportWhere((report) => report.live.requests[0]?.route !== undefined);
    expect(live).toMatchObject({
      count: 1,
      requests: [{ method: 'GET', route: '/users/:id', deadlineMs: 20_000, isAnswering: false }],
    });
    passTime(5000);
    const [request] = diagnosis.report().live.requests;
    expect(request?.ageMs).toBeGreaterThanOrEqual(5000);
    expect(request?.remainingMs).toBeLessThanOrEqual(15_000);
    done.open();
    await answer;
    await reportWhere((report) => report.live.count === 0);
  });

  it('has no deadline for a request that has none, nor for one that is being answered', async () => {
    const done = gate();
    const app = make();
    app.get('/plain', async (_req, res) => {
      await done.promise;
      res.end();
    });
    app.get('/begun', hangup() as never, async (_req, res) => {
      res.write('x');
      await done.promise;
      res.end();
    });
    const { url } = await serve(app as never);
    const answers = [status(`${url}/plain`), status(`${url}/begun`)];
    const { live } = await reportWhere(
      ({ live: { requests } }) => requests.length === 2 && requests.some((r) => r.isAnswering),
    );
    const byRoute = new Map(live.requests.map((entry) => [entry.route, entry]));
    expect(byRoute.get('/plain')).toMatchObject({ deadlineMs: null, remainingMs: null, isAnswering: false });
    expect(byRoute.get('/begun')).toMatchObject({ deadlineMs: 25_000, remainingMs: null, isAnswering: true });
    expect(JSON.parse(JSON.stringify(live)).requests[0]).toHaveProperty('deadlineMs', null);
    done.open();
    await Promise.all(answers);
  });

  it('leaves out who looks at the page', async () => {
    const app = make();
    app.use(hangup());
    app.use('/_hangup', diagnosis.page);
    const { url } = await serve(app as never);
    const report = JSON.parse(
      await request(`${url}/_hangup/report.json`, { agent: new http.Agent({ keepAlive: true }) }),
    );
    expect(report).toMatchObject({ live: { count: 0, requests: [] } });
    expect(Object.values(diagnosis.report().outcomes.total)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('counts how requests end, with and without hangup()', async () => {
    for (const guard of [[], [hangup()]]) {
      const before = diagnosis.report().outcomes.total;
      const app = make();
      if (guard[0]) app.use(guard[0]);
      app.get('/status/:status', (req, res) => void res.status(Number(req.params.status)).end());
      app.get('/never', () => undefined);
      app.get('/broken', (_req, res) => void res.destroy());
      app.use(gatewayErrorHandler());
      const { url } = await serve(app as never);
      for (const code of [200, 204, 304, 404, 500, 502, 503, 504]) await status(`${url}/status/${code}`);
      await status(`${url}/broken`).catch(() => 0);
      const left = new AbortController();
      const leaving = status(`${url}/never`, { signal: left.signal }).catch(() => 0);
      await reportWhere(({ live }) => live.count === 1);
      left.abort();
      await leaving;
      const { outcomes } = await reportWhere(({ live }) => live.count === 0);
      const gained = Object.fromEntries(
        Object.entries(outcomes.total).map(([name, count]) => [
          name,
          count - before[name as keyof typeof before],
        ]),
      );
      expect(gained).toEqual({
        ok: 3,
        refused: 1,
        error: 1,
        badGateway: 1,
        unavailable: 1,
        timeout: 1,
        clientClosed: 1,
        broken: 1,
      });
    }
  });

  it('joins a fault with the call that failed: route, status, upstream and verdict in one row', async () => {
    const upstream = await scriptedUpstream(rst);
    const app = make();
    app.use(hangup());
    app.get('/users/:id', (req, _res, next) => {
      fetch(upstream.origin, { signal: req.signal }).catch(next);
    });
    app.use(gatewayErrorHandler());
    const { url } = await serve(app as never);
    expect(await status(`${url}/users/7?token=secret`)).toBe(502);
    expect(diagnosis.report().faults).toEqual([
      {
        at: expect.any(Number),
        code: 'UPSTREAM_RESET',
        method: 'GET',
        route: '/users/:id',
        ms: expect.any(Number),
        status: 502,
        outcome: 'answered',
        attempts: 1,
        ids: { traceId: undefined, requestId: undefined },
        upstream: {
          origin: upstream.origin,
          phase: 'waiting',
          trigger: 'rst',
          reusedSocket: false,
          requestsOnSocket: 1,
          verdict: 'UW1',
          where: {
            file: expect.stringContaining('report.test.ts'),
            line: expect.any(Number),
            column: expect.any(Number),
          },
        },
      },
    ]);
  });

  it('tells on which upstream a request waited whose deadline passed', async () => {
    const upstream = await scriptedUpstream(silence);
    const app = make();
    app.use(hangup({ deadline: 250 }));
    app.get('/slow', (req, _res, next) => {
      fetch(upstream.origin, { signal: req.signal }).catch(next);
    });
    app.use(gatewayErrorHandler());
    const { url } = await serve(app as never);
    expect(await status(`${url}/slow`)).toBe(504);
    expect(diagnosis.report().faults).toMatchObject([
      {
        code: 'DEADLINE_EXCEEDED',
        status: 504,
        route: '/slow',
        upstream: { origin: upstream.origin, verdict: 'dW1' },
      },
    ]);
  });

  it('shows a failed call that the app has dealt with by itself', async () => {
    const upstream = await scriptedUpstream(rst);
    const app = make();
    app.get('/', async (_req, res) => {
      await fetch(upstream.origin).catch(() => undefined);
      res.send('a default');
    });
    const { url } = await serve(app as never);
    expect(await status(url)).toBe(200);
    const [row] = diagnosis.report().faults;
    expect(row).toMatchObject({ code: 'UPSTREAM_RESET', upstream: { verdict: 'UW1' } });
    expect(row?.outcome).toBeUndefined();
  });

  it('lists late handlers by route', async () => {
    const late = collect('late-response');
    const app = make();
    app.use(hangup({ grace: 0 }));
    app.get('/reports/:year', deadline(250), (req, res) => {
      void aborted(req.signal).then(() => setTimeout(() => res.json({ late: true }), 30));
    });
    app.use(gatewayErrorHandler());
    const { url } = await serve(app as never);
    for (const year of [2025, 2026]) {
      expect(await status(`${url}/reports/${year}`)).toBe(504);
      await late.next();
    }
    expect(diagnosis.report().late).toEqual([
      {
        method: 'GET',
        route: '/reports/:year',
        count: 2,
        call: 'json',
        longestMs: expect.any(Number),
        lastAt: expect.any(Number),
        where: expect.stringContaining('report.test.ts'),
      },
    ]);
  });
});

describe('timeouts side by side', () => {
  it('are those of the servers, the deadlines and the upstreams', async () => {
    const upstream = await scriptedUpstream((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100\r\nContent-Length: 2\r\n\r\nok');
    });
    const agent = new http.Agent({ keepAlive: true });
    const { server, url } = await serve((_req: unknown, res: http.ServerResponse) => void res.end());
    server.keepAliveTimeout = 65_000;
    await status(url);
    await request(upstream.origin, { agent });
    const { timeouts, findings } = await reportWhere((report) => report.findings.length > 0);
    agent.destroy();
    expect(timeouts).toContainEqual({
      owner: 'this server',
      name: 'keepAliveTimeout',
      ms: 65_000,
      by: 'setting',
    });
    expect(timeouts).toContainEqual({ owner: 'this server', name: 'timeout', ms: null, by: 'setting' });
    expect(timeouts).toContainEqual({
      owner: upstream.origin,
      name: 'it closes idle sockets',
      ms: 5000,
      by: 'announced',
    });
    expect(timeouts).toContainEqual({
      owner: upstream.origin,
      name: 'our pool keeps idle sockets',
      ms: null,
      by: 'setting',
    });
    // An agent without a timeout of its own does not heed the announcement (Node 20 to 26).
    expect(findings).toEqual([
      `${upstream.origin} announces that it closes idle sockets after about 5 s, but this process keeps them for ever: a request on such a socket is lost. Give the pool a shorter idle time (http.Agent: timeout; undici: keepAliveTimeout).`,
    ]);
  });

  it('make no finding where the pool is the shorter one', async () => {
    const upstream = await scriptedUpstream((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60\r\nContent-Length: 2\r\n\r\nok');
    });
    const agent = new http.Agent({ keepAlive: true, timeout: 4000 });
    await request(upstream.origin, { agent });
    const { findings } = await reportWhere(({ origins }) => origins[0]?.poolIdle?.ms === 4000);
    agent.destroy();
    expect(findings).toEqual([]);
  });

  it('disagree where the upstream cuts before the deadline has passed', async () => {
    const upstream = await scriptedUpstream(silence);
    const app = express();
    app.use(hangup({ deadline: 20_000 }));
    app.get('/:id', (req, res) => {
      request(`${upstream.origin}/${req.params.id}`).catch(() => res.end());
    });
    const { url } = await serve(app);
    for (let count = 0; count < 3; count++) {
      const answer = status(`${url}/${count}`);
      await until(() => upstream.sockets.size !== 0);
      passTime(5000);
      for (const socket of upstream.sockets) {
        socket.end();
        await once(socket, 'close');
      }
      await answer;
    }
    const { findings } = await reportWhere((report) => report.findings.length > 0);
    expect(findings).toEqual([
      expect.stringMatching(
        /cuts unanswered requests after about 5(\.\d)? s, but deadlines here are up to 20 s/,
      ),
    ]);
  });

  it('show the findings of tuneServer()', async () => {
    const { server } = await serve((_req: unknown, res: http.ServerResponse) => void res.end());
    const tuning = tuneServer(server, { loadBalancer: 'heroku', deadline: 90_000 });
    const [{ message } = { message: '' }] = tuning.findings;
    expect(message).not.toBe('');
    const one = diagnose({ tuning });
    const several = diagnose({ tuning: [tuning, { findings: [{ message: 'another' }] }] });
    expect(one.report().findings).toEqual(tuning.findings.map((finding) => finding.message));
    expect(several.report().findings).toContain('another');
    one.stop();
    several.stop();
  });
});

describe('the outcomes over time', () => {
  it('are sixty buckets of five seconds, which run on', async () => {
    const { url } = await serve((_req: unknown, res: http.ServerResponse) => void res.end());
    await status(url);
    await reportWhere(({ outcomes }) => outcomes.total.ok === 1);
    const at = (report: Report): number => report.outcomes.buckets.findIndex(({ ok: count }) => count > 0);
    expect(diagnosis.report().outcomes.buckets).toHaveLength(60);
    const first = at(diagnosis.report());
    expect(first).toBeGreaterThanOrEqual(58);
    passTime(50_000);
    expect(at(diagnosis.report())).toBe(first - 10);
    passTime(250_000);
    expect(at(diagnosis.report())).toBe(-1);
    expect(diagnosis.report().outcomes.total.ok).toBe(1);
  });

  it('start anew after a long silence', async () => {
    const { url } = await serve((_req: unknown, res: http.ServerResponse) => void res.end());
    await status(url);
    passTime(10 * 300_000 + 7000);
    await status(url);
    const { outcomes } = await reportWhere((report) => report.outcomes.total.ok === 2);
    expect(outcomes.buckets.reduce((sum, bucket) => sum + bucket.ok, 0)).toBe(1);
  });
});

it('counts the requests and the open sockets of each upstream', async () => {
  const upstream = await scriptedUpstream(ok);
  const agent = new http.Agent({ keepAlive: true });
  await request(upstream.origin, { agent });
  await new Promise(setImmediate);
  await request(upstream.origin, { agent });
  expect(diagnosis.report().origins).toMatchObject([
    { origin: upstream.origin, requests: 2, openSockets: 1 },
  ]);
  agent.destroy();
  await reportWhere(({ origins }) => origins[0]?.openSockets === 0);
});

it('a route’s percentiles are within 9 percent, and none is longer than the longest time that was counted', () => {
  const times = new TimeHistogram();
  for (const ms of [7999, 7998, 7990]) times.add(ms);
  expect(times.percentiles()).toEqual({ p5: 7999, p50: 7999, p95: 7999 });
  times.add(0.1);
  expect(times.percentiles()).toMatchObject({ p5: 1 });
});
