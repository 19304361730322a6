import express from 'express';
import { gatewayErrorHandler, hangup, type HangupOptions, type RetryEvent } from 'express-hangup';
import type { Upstream, UpstreamRequestInit } from 'express-hangup/upstream';
import * as debuggerModule from '../../../src/request/lifetime/debugger';
import type { Lifetime } from '../../../src/request/lifetime/lifetime';
import { CallScope } from '../../../src/upstream/call/call-scope';
import { spendableMs } from '../../../src/request/budget';
import { collect } from '../../fixtures/events';
import { serve } from '../../fixtures/serve';
import { answers, client, scriptedUpstream, undicis } from '../scripted-upstream';

const HEADER = 'x-request-timeout-ms';

/** Calls the upstream once on behalf of a request with this deadline, and gives what the app answers. */
async function viaApp(
  users: Upstream,
  options: HangupOptions,
  init?: UpstreamRequestInit,
): Promise<Response> {
  const app = express().set('env', 'test');
  app.use(hangup(options));
  app.get('/', async (req, res) => {
    const response = await users.fetch(req, '/', init);
    res.status(response.status).send(await response.text());
  });
  app.use(gatewayErrorHandler());
  const { port } = await serve(app);
  return fetch(`http://127.0.0.1:${port}/`);
}

describe('the time that an upstream may spend', () => {
  it.each([
    [10_000, 9990],
    [400, 390],
    [200, 190],
    [100, 95],
    [10, 9],
    [1.5, 1],
    [1, 0],
    [0, 0],
    [Infinity, Infinity],
  ])('is, of %d ms, %d', (remaining, spendable) => {
    expect(spendableMs(remaining)).toBe(spendable);
  });
});

describe('the time that a call has', () => {
  const spent = { remaining: () => 0, onAbort: () => () => undefined } as unknown as Lifetime;

  it('is none when the deadline has passed', () => {
    expect(new CallScope(spent, undefined).remaining()).toBe(0);
  });

  it('is any with a debugger attached, as for the request itself', () => {
    jest.spyOn(debuggerModule, 'isDebugging').mockReturnValue(true);
    expect(new CallScope(spent, undefined).remaining()).toBe(Infinity);
    jest.restoreAllMocks();
  });
});

describe.each(undicis())('the budget that is sent, on %s', (_name, undici) => {
  it('is what remains of the deadline, less a margin', async () => {
    const { origin, hits } = await scriptedUpstream(answers.ok);
    await viaApp(client(undici, origin), { deadline: 10_000 });
    const sent = Number(hits[0]!.headers[HEADER]);
    expect(sent).toBeGreaterThan(5000);
    expect(sent).toBeLessThanOrEqual(9990);
    expect(hits[0]!.headers[HEADER]).toMatch(/^\d+$/);
  });

  it('is absent without a deadline, and outside of a request', async () => {
    const { origin, hits } = await scriptedUpstream(answers.ok);
    const users = client(undici, origin);
    await viaApp(users, { deadline: false });
    await users.fetch(null, '/');
    expect(hits.map(({ headers }) => headers[HEADER])).toEqual([undefined, undefined]);
  });

  it.each<[string, string, RegExp]>([
    ['less', '120', /^120$/],
    ['more, which does not count', '60000', /^\d{4}$/],
    ['nonsense, which does not count', 'soon', /^\d{4}$/],
  ])('is the smaller one where the caller says %s', async (_what, said, expected) => {
    const { origin, hits } = await scriptedUpstream(answers.ok);
    const headers = { 'X-REQUEST-TIMEOUT-MS': said, 'X-Other': 'stays' };
    await viaApp(client(undici, origin), { deadline: 9000 }, { headers });
    expect(hits[0]!.headers).toMatchObject({ [HEADER]: expect.stringMatching(expected), 'x-other': 'stays' });
    expect(headers).toEqual({ 'X-REQUEST-TIMEOUT-MS': said, 'X-Other': 'stays' });
  });

  it("is the caller's own where there is no other", async () => {
    const { origin, hits } = await scriptedUpstream(answers.ok);
    await client(undici, origin).fetch(null, '/', { headers: { [HEADER]: '120' } });
    expect(hits[0]!.headers[HEADER]).toBe('120');
  });

  it('is smaller with each try', async () => {
    const { origin, hits } = await scriptedUpstream(
      (req, res) => void setTimeout(answers[503], 20, req, res),
    );
    await viaApp(client(undici, origin), { deadline: 10_000 });
    const [first = 0, second = 0, third = 0] = hits.map(({ headers }) => Number(headers[HEADER]));
    expect(second).toBeLessThanOrEqual(first - 19);
    expect(third).toBeLessThanOrEqual(second - 19);
  });
});

describe.each(undicis())('retries and the deadline, on %s', (_name, undici) => {
  it('hands the answer over at once where the upstream asks for more time than is left', async () => {
    const retries = collect<RetryEvent>('retry');
    const { origin, hits } = await scriptedUpstream((_req, res) => {
      res.writeHead(503, { 'Retry-After': '3' }).end('later');
    });
    const response = await viaApp(client(undici, origin), { deadline: 2900 });
    expect(response.status).toBe(503);
    expect(await response.text()).toBe('later');
    expect(hits).toHaveLength(1);
    expect(retries.all).toEqual([]);
  });

  it('waits as long as the upstream asks where that fits', async () => {
    const retries = collect<RetryEvent>('retry');
    const { origin } = await scriptedUpstream((req, res, n) => {
      if (n === 1) res.writeHead(503, { 'Retry-After': '1' }).end();
      else answers.ok(req, res);
    });
    const start = performance.now();
    expect((await viaApp(client(undici, origin), { deadline: 20_000 })).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThan(998);
    expect(retries.all).toEqual([expect.objectContaining({ attempt: 2, cause: 503 })]);
    expect(retries.all[0]!.delayMs).toBeGreaterThanOrEqual(1000);
    expect(retries.all[0]!.delayMs).toBeLessThan(1100);
  });

  it('starts no try after the deadline', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.9);
    const upstream = await scriptedUpstream(answers.reset);
    const users = client(undici, upstream.origin, { retries: 10 });
    const response = await viaApp(users, { deadline: 300, grace: 0 });
    expect([502, 504]).toContain(response.status);
    await users.close();
    // 90 ms, then 180 ms, then 360 ms, which would be too late. What was sent was sent with time to spend.
    expect(upstream.hits.length).toBeLessThanOrEqual(3);
    for (const { headers } of upstream.hits) expect(Number(headers[HEADER])).toBeGreaterThan(0);
    jest.restoreAllMocks();
  });
});
