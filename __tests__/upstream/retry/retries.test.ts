import { Readable } from 'node:stream';
import net from 'node:net';
import { classifyError } from 'express-hangup';
import type { RetryEvent } from 'express-hangup';
import type { UpstreamRequestInit } from 'express-hangup/upstream';
import { collect } from '../../fixtures/events';
import { listen } from '../../fixtures/serve';
import { answers, client, scriptedUpstream, undicis } from '../scripted-upstream';

type Fault = keyof typeof answers;

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST', 'PATCH'];
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const RETRIED = ['reset', 'fin', 502, 503, 504] as const satisfies Fault[];
const NOT_RETRIED = [500, 429, 404, 'ok', 'garbage'] as const satisfies Fault[];

// No test waits for a backoff: the shortest of all waits is part of full jitter too.
beforeEach(() => {
  jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe.each(undicis())('retries on %s', (_name, undici) => {
  /** How often a call arrives at an upstream with a fault, and what the caller gets: a status, or the code of a fault. */
  async function attempts(
    fault: Fault,
    init: UpstreamRequestInit,
  ): Promise<[hits: number, outcome: unknown]> {
    const { origin, hits } = await scriptedUpstream(answers[fault]);
    const outcome = await client(undici, origin)
      .fetch(null, '/', init)
      .then(
        (response) => response.status,
        (error: unknown) => classifyError(error)?.code,
      );
    return [hits.length, outcome];
  }

  describe.each(METHODS)('%s', (method) => {
    const expected = SAFE.has(method) ? 3 : 1;

    it.each(RETRIED)(`arrives ${expected} times at an upstream that answers %s`, async (fault) => {
      expect(await attempts(fault, { method })).toEqual([
        expected,
        typeof fault === 'number' ? fault : 'UPSTREAM_RESET',
      ]);
    });

    it.each(NOT_RETRIED)('arrives once at an upstream that answers %s', async (fault) => {
      const outcome = fault === 'ok' ? 200 : fault === 'garbage' ? 'UPSTREAM_INVALID_RESPONSE' : fault;
      expect(await attempts(fault, { method })).toEqual([1, outcome]);
    });
  });

  it.each<[string, UpstreamRequestInit, number]>([
    ['a POST that is said to be idempotent', { method: 'POST', idempotent: true }, 3],
    ['a PATCH that is said to be idempotent', { method: 'PATCH', idempotent: true }, 3],
    ['a POST with an Idempotency-Key', { method: 'POST', headers: { 'idempotency-key': '8e03978e' } }, 3],
    ['a POST with an empty Idempotency-Key', { method: 'POST', headers: { 'Idempotency-Key': '' } }, 1],
    [
      'a POST with a key that is said not to be',
      { method: 'POST', headers: { 'Idempotency-Key': '1' }, idempotent: false },
      1,
    ],
    ['a GET that is said not to be idempotent', { idempotent: false }, 1],
    ['a method that nobody knows', { method: 'REPORT' }, 1],
    ['a call without retries', { retries: 0 }, 1],
    ['a call with more retries', { retries: 4 }, 5],
  ])('%s arrives as often as it may', async (_what, init, expected) => {
    expect(await attempts(503, init)).toEqual([expected, 503]);
    expect(await attempts('reset', init)).toEqual([expected, 'UPSTREAM_RESET']);
  });

  const form = (): FormData => {
    const data = new FormData();
    data.append('a', 'one');
    return data;
  };

  it.each<[string, () => any]>([
    ['a string', () => 'one'],
    ['a Buffer', () => Buffer.from('one')],
    ['an ArrayBuffer', () => new TextEncoder().encode('one').buffer],
    ['URLSearchParams', () => new URLSearchParams({ a: 'one' })],
    ['a Blob', () => new Blob(['one'])],
    ['FormData', form],
    [
      "undici's FormData",
      () => {
        const data = new undici.FormData();
        data.append('a', 'one');
        return data;
      },
    ],
  ])('sends %s again as it was', async (_what, body) => {
    const { origin, hits } = await scriptedUpstream((req, res, n) => {
      if (n === 1) answers[503](req, res);
      else if (n === 2) answers.reset(req);
      else answers.ok(req, res);
    });
    const response = await client(undici, origin).fetch(null, '/', { method: 'PUT', body: body() });
    expect(response.status).toBe(200);
    expect(hits).toHaveLength(3);
    const contents = hits.map(({ body: content }) => content.replace(/[^\n]*formdata-undici[^\n]*/g, '--'));
    expect(new Set(contents).size).toBe(1);
    expect(contents[0]).toContain('one');
  });

  it.each<[string, () => any]>([
    ['a web stream', () => new Blob(['one']).stream()],
    ['a Node stream', () => Readable.from([Buffer.from('one')])],
    [
      'an async generator',
      async function* () {
        yield Buffer.from('one');
      },
    ],
  ])('never sends %s again', async (_what, body) => {
    for (const fault of ['reset', 503] as const) {
      const { origin, hits } = await scriptedUpstream(answers[fault]);
      const made = body();
      await client(undici, origin)
        .fetch(null, '/', {
          method: 'PUT',
          idempotent: true,
          body: typeof made === 'function' ? made() : made,
        })
        .catch(() => undefined);
      expect(hits).toHaveLength(1);
    }
  });

  describe('when the connection is refused', () => {
    it.each(METHODS)('%s is sent again, as no byte of it has left', async (method) => {
      const retries = collect<RetryEvent>('retry');
      const { origin, server } = await scriptedUpstream(answers.ok);
      await new Promise((resolve) => server.close(resolve));
      const error = await client(undici, origin)
        .fetch(null, '/', { method })
        .catch((e: unknown) => e);
      expect(classifyError(error)).toMatchObject({ code: 'UPSTREAM_REFUSED', status: 502 });
      expect(retries.all).toEqual([
        { origin, method, attempt: 2, delayMs: 0, cause: 'UPSTREAM_REFUSED' },
        { origin, method, attempt: 3, delayMs: 0, cause: 'UPSTREAM_REFUSED' },
      ]);
    });

    it('a POST arrives once the upstream is back', async () => {
      const { origin, server, hits } = await scriptedUpstream(answers.ok);
      const { port } = server.address() as net.AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      const retries = collect('retry');
      jest.mocked(Math.random).mockReturnValue(0.99);
      const call = client(undici, origin).fetch(null, '/', { method: 'POST', body: 'x', retries: 5 });
      await retries.next();
      server.listen(port, '127.0.0.1');
      expect((await call).status).toBe(200);
      expect(hits).toHaveLength(1);
      await new Promise((resolve) => server.close(resolve));
    });
  });

  it('nothing is sent again when connecting takes too long', async () => {
    // Accepts, and never answers the TLS handshake: the connection is not made in time.
    let connections = 0;
    const silent = net.createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined).resume();
    });
    const { port } = await listen(silent as never);
    const users = client(undici, `https://127.0.0.1:${port}`, { connect: { timeout: 50 } });
    const calls = ['GET', 'POST'].map((method) =>
      users.fetch(null, '/', { method }).catch((e: unknown) => e),
    );
    for (const error of await Promise.all(calls)) {
      expect(classifyError(error)).toMatchObject({ code: 'UPSTREAM_TIMEOUT', status: 504 });
    }
    expect(connections).toBe(2);
  });

  it('nothing is sent again once the response has been handed over', async () => {
    const { origin, hits } = await scriptedUpstream((req, res) => {
      res.writeHead(200, { 'Content-Length': 100 }).write('some');
      setImmediate(() => req.socket.resetAndDestroy());
    });
    const users = client(undici, origin);
    const response = await users.fetch(null, '/');
    const error = await response.text().catch((e: unknown) => e);
    expect(classifyError(error)).toMatchObject({
      code: 'UPSTREAM_RESET',
      upstream: { origin, phase: 'body', attempt: 1 },
    });
    expect(hits).toHaveLength(1);
    expect(users.stats().resets).toEqual({ first: 1, reused: 0 });
  });

  it('a redirected POST is not sent again when the redirect fails', async () => {
    const { origin, hits } = await scriptedUpstream((req, res) => {
      if (req.url === '/') res.writeHead(303, { Location: '/done' }).end();
      else answers[503](req, res);
    });
    expect((await client(undici, origin).fetch(null, '/', { method: 'POST' })).status).toBe(503);
    expect(hits.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST /', 'GET /done']);
  });

  it('an answer that is thrown away gives its socket back', async () => {
    const upstream = await scriptedUpstream((req, res, n) =>
      n < 3 ? answers[503](req, res) : answers.ok(req, res),
    );
    expect((await client(undici, upstream.origin).fetch(null, '/')).status).toBe(200);
    expect(upstream.hits.map(({ socket }) => socket)).toEqual([0, 0, 0]);
  });

  it('an answer that is thrown away and has no end loses its socket', async () => {
    const upstream = await scriptedUpstream((req, res, n) => {
      if (n === 1) res.writeHead(503).write('for ever');
      else answers.ok(req, res);
    });
    const users = client(undici, upstream.origin);
    expect((await users.fetch(null, '/')).status).toBe(200);
    await users.close();
    await upstream.empty();
  });

  describe('Retry-After', () => {
    /** The wait that is announced for the first retry after an answer with this header; undefined where none follows. */
    async function announced(retryAfter: string, date?: string): Promise<number | undefined> {
      const { origin, hits } = await scriptedUpstream((_req, res) => {
        if (date !== undefined) res.setHeader('Date', date);
        res.writeHead(503, { 'Retry-After': retryAfter }).end();
      });
      const retries = collect<RetryEvent>('retry');
      const controller = new AbortController();
      const call = client(undici, origin)
        .fetch(null, '/', { retries: 1, signal: controller.signal })
        .then((response) => response.status);
      const first = await Promise.race([call, retries.next()]);
      expect(hits).toHaveLength(1);
      controller.abort();
      await call.catch(() => undefined);
      return typeof first === 'object' ? first.delayMs : undefined;
    }

    const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';

    it.each<[string, string, number | undefined]>([
      ['seconds', '2', 2000],
      ['a date', 'Sun, 06 Nov 1994 08:49:39 GMT', 2000],
      ['a date of the form of RFC 850', 'Sunday, 06-Nov-94 08:49:39 GMT', 2000],
      ["a date of the form of C's asctime()", 'Sun Nov  6 08:49:39 1994', 2000],
      ['too many seconds', '31', undefined],
      ['an absurd number of seconds', '99999999999999999999', undefined],
      ['a date in years', 'Mon, 06 Nov 2034 08:49:37 GMT', undefined],
    ])('is honoured as %s', async (_what, value, expected) => {
      expect(await announced(value, DATE)).toBe(expected);
    });

    it('is read against the clock of this machine where the answer has no date', async () => {
      const { origin } = await scriptedUpstream((_req, res) => {
        res.sendDate = false;
        res.writeHead(503, { 'Retry-After': new Date(Date.now() + 20_000).toUTCString() }).end();
      });
      const retries = collect<RetryEvent>('retry');
      const controller = new AbortController();
      const call = client(undici, origin).fetch(null, '/', { signal: controller.signal });
      const { delayMs } = await retries.next();
      expect(delayMs).toBeGreaterThan(10_000);
      expect(delayMs).toBeLessThanOrEqual(20_000);
      controller.abort();
      await expect(call).rejects.toThrow();
    });

    it.each([['soon'], ['-5'], ['1.5'], ['1e3'], [''], ['Sunday'], ['0'], ['Sun, 06 Nov 1994 08:49:30 GMT']])(
      '%j changes nothing',
      async (value) => {
        const { origin, hits } = await scriptedUpstream((_req, res) => {
          res.writeHead(503, { 'Retry-After': value, Date: DATE }).end();
        });
        const retries = collect<RetryEvent>('retry');
        expect((await client(undici, origin).fetch(null, '/')).status).toBe(503);
        expect(hits).toHaveLength(3);
        expect(retries.all.map(({ delayMs }) => delayMs)).toEqual([0, 0]);
      },
    );
  });

  describe('attempt', () => {
    it('bounds one try and leaves time for the next', async () => {
      const upstream = await scriptedUpstream((req, res, n) => {
        if (n > 1) answers.ok(req, res);
      });
      const retries = collect<RetryEvent>('retry');
      const response = await client(undici, upstream.origin, { attempt: 150 }).fetch(null, '/');
      expect(await response.text()).toBe('ok');
      expect(upstream.hits).toHaveLength(2);
      expect(retries.all).toEqual([expect.objectContaining({ attempt: 2, cause: 'UPSTREAM_TIMEOUT' })]);
    });

    it.each([
      ['GET', 3],
      ['PUT', 3],
      ['POST', 1],
      ['PATCH', 1],
    ])('ends a %s after %i tries with a timeout', async (method, expected) => {
      const upstream = await scriptedUpstream(answers.silence);
      const retries = collect<RetryEvent>('retry');
      const error: any = await client(undici, upstream.origin)
        .fetch(null, '/', { method, attempt: 30 })
        .catch((e: unknown) => e);
      expect(classifyError(error)).toMatchObject({ code: 'UPSTREAM_TIMEOUT', status: 504 });
      expect(error.cause).toMatchObject({ name: 'TimeoutError', code: 'ETIMEDOUT' });
      // Not counted at the upstream: on a busy machine a try may end before it arrives.
      expect(retries.all).toHaveLength(expected - 1);
      await upstream.empty();
    });

    it('is told to the upstream', async () => {
      const { origin, hits } = await scriptedUpstream(answers.ok);
      await client(undici, origin, { attempt: 1000 }).fetch(null, '/');
      await client(undici, origin, { attempt: 1000 }).fetch(null, '/', { attempt: false });
      expect(hits.map(({ headers }) => headers['x-request-timeout-ms'])).toEqual(['990', undefined]);
    });

    it('does not cut a body that takes longer', async () => {
      const { origin } = await scriptedUpstream((_req, res) => {
        res.write('first');
        setTimeout(() => res.end(' last'), 300);
      });
      const response = await client(undici, origin, { attempt: 250 }).fetch(null, '/');
      expect(await response.text()).toBe('first last');
    });
  });
});
