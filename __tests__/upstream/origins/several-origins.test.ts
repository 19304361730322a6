import type { Upstream } from 'express-hangup/upstream';
import { gate } from '../../fixtures/serve';
import { answers, client, scriptedUpstream, undicis, type Script } from '../scripted-upstream';

/** How the three real upstreams of a test behave. */
async function three(...scripts: Script[]): Promise<Awaited<ReturnType<typeof scriptedUpstream>>[]> {
  return Promise.all(scripts.map((script) => scriptedUpstream(script)));
}

/** Calls one after the other; gives how many failed. */
async function failures(users: Upstream, count: number, init: object = {}): Promise<number> {
  let failed = 0;
  for (let n = 0; n < count; n++) {
    const ok = await users.request(null, '/', init).then(
      async ({ statusCode, body }) => {
        await body.dump();
        return statusCode === 200;
      },
      () => false,
    );
    if (!ok) failed += 1;
  }
  return failed;
}

const shares = (upstreams: { hits: unknown[] }[]): number[] => upstreams.map(({ hits }) => hits.length);

describe.each(undicis())('several origins, on %s', (_name, undici) => {
  it('share the calls', async () => {
    const upstreams = await three(answers.ok, answers.ok, answers.ok);
    const users = client(
      undici,
      upstreams.map(({ origin }) => origin),
    );
    expect(await failures(users, 150)).toBe(0);
    for (const share of shares(upstreams)) expect(share).toBeGreaterThan(20);
    const { endpoints, requests, origin } = users.stats();
    expect({ requests, origin }).toEqual({ requests: 150, origin: upstreams[0]!.origin });
    expect(endpoints.map(({ requests: sent }) => sent)).toEqual(shares(upstreams));
    expect(endpoints.map(({ inFlight, failures: failed }) => inFlight + failed)).toEqual([0, 0, 0]);
  });

  it('spare the one that is slow: the less busy of two gets the call', async () => {
    const waiting: (() => void)[] = [];
    const [slow, quick, other] = await three(
      (_req, res) => void waiting.push(() => res.end('late')),
      answers.ok,
      answers.ok,
    );
    const users = client(undici, [slow!.origin, quick!.origin, other!.origin]);
    const calls = Array.from({ length: 90 }, async () => {
      await (await users.request(null, '/')).body.text();
    });
    await quick!.arrived(10);
    while (quick!.hits.length + other!.hits.length + slow!.hits.length < 90) await new Promise(setImmediate);
    // All 90 wait at once: the counts are level, whatever the two that are drawn.
    expect(slow!.hits.length).toBeLessThan(45);
    const before = slow!.hits.length;
    expect(await failures(users, 30)).toBe(0);
    expect(slow!.hits).toHaveLength(before);
    for (const finish of waiting.splice(0)) finish();
    await Promise.all(calls);
  });

  it('answer what the one cannot: a retry goes to another', async () => {
    const upstreams = await three(answers[503], answers.ok);
    const users = client(
      undici,
      upstreams.map(({ origin }) => origin),
      { outlierDetection: false, retries: 1 },
    );
    // Ten of them at the broken one spend the budget; to the same one, half of the retries would fail.
    for (let n = 0; n < 100 && users.stats().retries < 9; n++) expect(await failures(users, 1)).toBe(0);
    expect(users.stats().endpoints[0]).toMatchObject({ failures: 9 });
  });

  it('leave out the one that makes retries necessary', async () => {
    const upstreams = await three(answers[503], answers.ok, answers.ok);
    const users = client(
      undici,
      upstreams.map(({ origin }) => origin),
    );
    expect(await failures(users, 40)).toBe(0);
    expect(users.stats().endpoints[0]).toMatchObject({ ejected: true, ejections: 1, failures: 5 });
    expect(upstreams[0]!.hits).toHaveLength(5);
  });

  it.each<[string, Script, object]>([
    ['answers 503', answers[503], {}],
    ['resets', answers.reset, {}],
    ['closes', answers.fin, {}],
    ['hangs', answers.silence, { attempt: 300 }],
    ['talks no HTTP', answers.garbage, {}],
  ])('leave out one that %s, after five failures in a row', async (_what, fault, init) => {
    const upstreams = await three(fault, answers.ok, answers.ok);
    const users = client(
      undici,
      upstreams.map(({ origin }) => origin),
    );
    // POSTs are not sent again: what fails is seen. (A busy machine may be too slow for `attempt` at a well one, too.)
    expect(await failures(users, 60, { method: 'POST', ...init })).toBeLessThan(10);
    const [bad] = users.stats().endpoints;
    expect(bad).toMatchObject({ requests: 5, failures: 5, ejected: true });
  });

  it('leave out one that a caller was not willing to wait for any longer', async () => {
    const upstreams = await three(answers.silence, answers.ok, answers.ok);
    const users = client(
      undici,
      upstreams.map(({ origin }) => origin),
    );
    for (let n = 0; n < 60; n++) await failures(users, 1, { signal: AbortSignal.timeout(100) });
    expect(users.stats().endpoints[0]).toMatchObject({ failures: 5, ejected: true });
  });

  it('leave out nobody for a caller that has left', async () => {
    let arrived = gate();
    const silence: Script = () => arrived.open();
    const upstreams = await three(silence, silence, silence);
    const users = client(
      undici,
      upstreams.map(({ origin }) => origin),
    );
    for (let n = 0; n < 30; n++) {
      arrived = gate();
      const controller = new AbortController();
      const call = users.request(null, '/', { signal: controller.signal });
      await arrived.promise;
      controller.abort();
      await expect(call).rejects.toThrow();
    }
    const { endpoints } = users.stats();
    expect(endpoints.map(({ failures: failed, ejections }) => failed + ejections)).toEqual([0, 0, 0]);
  });

  it('are never all left out: with every one in trouble the calls go on', async () => {
    const upstreams = await three(answers[503], answers[503], answers[503]);
    const users = client(
      undici,
      upstreams.map(({ origin }) => origin),
      { outlierDetection: { maxEjectionPercent: 100 } },
    );
    expect(await failures(users, 60, { method: 'POST' })).toBe(60);
    expect(users.stats().endpoints.filter(({ ejected }) => ejected)).toHaveLength(2);
    expect(shares(upstreams).reduce((sum, share) => sum + share)).toBe(60);
  });

  it('are not left out with outlierDetection: false', async () => {
    const upstreams = await three(answers[503], answers.ok, answers.ok);
    const users = client(
      undici,
      upstreams.map(({ origin }) => origin),
      { outlierDetection: false },
    );
    expect(await failures(users, 60, { method: 'POST' })).toBeGreaterThan(5);
    expect(users.stats().endpoints.map(({ ejections }) => ejections)).toEqual([0, 0, 0]);
  });

  it('name in errors and responses the one that was asked', async () => {
    const upstreams = await three(answers.reset, answers.ok);
    const users = client(
      undici,
      upstreams.map(({ origin }) => origin),
      { retries: 0 },
    );
    const seen = new Set<string>();
    for (let n = 0; n < 40 && seen.size < 2; n++) {
      seen.add(
        await users.fetch(null, '/').then(
          ({ url }) => `answered: ${url}`,
          (error: unknown) => `failed: ${((error as Error).cause as Error).message}`,
        ),
      );
    }
    const [broken, well] = upstreams.map(({ origin }) => origin);
    expect([...seen].sort()).toEqual([
      `answered: ${well}/`,
      expect.stringContaining(`(GET ${broken}, attempt 1)`),
    ]);
  });

  it('are closed together', async () => {
    const upstreams = await three(answers.ok, answers.ok, answers.ok);
    const users = client(
      undici,
      upstreams.map(({ origin }) => origin),
    );
    await failures(users, 60);
    await users.close();
    for (const upstream of upstreams) await upstream.empty();
    await expect(users.request(null, '/')).rejects.toThrow('has been closed');
  });
});
