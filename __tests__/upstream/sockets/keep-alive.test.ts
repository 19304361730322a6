import net, { type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { classifyError, type RetryEvent } from 'express-hangup';
import { collect } from '../../fixtures/events';
import type { Undici } from '../../../src/upstream/load-undici';
import { KeepAliveLimit } from '../../../src/upstream/sockets/keep-alive-limit';
import { DROP_MS, forgetfulUpstream, punctualUpstream, type DroppingUpstream } from './dropping-upstream';
import { answers, client, scriptedUpstream, undicis } from '../scripted-upstream';

describe('the idle limit', () => {
  let now = 0;
  beforeEach(() => {
    now = 1000;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('falls to three quarters of the idle time after which a socket was lost', () => {
    const limit = new KeepAliveLimit(4000);
    expect(limit).toMatchObject({ ms: 4000, learned: false });
    expect(limit.learn(2000)).toBe(true);
    expect(limit).toMatchObject({ ms: 1500, learned: true });
    expect(limit.learn(1000)).toBe(true);
    expect(limit.ms).toBe(750);
  });

  it('never rises by a lesson, nor above what is configured', () => {
    const limit = new KeepAliveLimit(4000);
    expect(limit.learn(60_000)).toBe(false);
    limit.learn(400);
    expect(limit.learn(3000)).toBe(false);
    expect(limit.ms).toBe(300);
  });

  it('learns nothing from a socket that broke soon after its last use', () => {
    const limit = new KeepAliveLimit(4000);
    expect(limit.learn(99)).toBe(false);
    expect(limit).toMatchObject({ ms: 4000, learned: false });
  });

  it('forgets after ten minutes', () => {
    const limit = new KeepAliveLimit(4000);
    limit.learn(400);
    now += 10 * 60_000 - 1;
    expect(limit.forget()).toBe(false);
    now += 1;
    expect(limit.forget()).toBe(true);
    expect(limit).toMatchObject({ ms: 4000, learned: false });
    expect(limit.forget()).toBe(false);
  });
});

describe.each(undicis())('unused sockets, on %s', (_name, undici) => {
  const get = async (users: ReturnType<typeof client>, path = '/'): Promise<string> => {
    return (await users.fetch(null, path)).text();
  };

  /** The delays of the timers that were set while `run` ran: undici sets one for each socket that is no longer used. */
  async function delaysOf(run: () => Promise<unknown>): Promise<unknown[]> {
    const spy = jest.spyOn(globalThis, 'setTimeout');
    await run();
    await new Promise(setImmediate);
    const delays = spy.mock.calls.map(([, ms]) => ms);
    spy.mockRestore();
    return delays;
  }

  it('are closed after the time that is configured', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const users = client(undici, upstream.origin, { keepAlive: 80 });
    expect(await delaysOf(() => get(users))).toContain(80);
    await upstream.empty();
    expect(users.stats().keepAlive).toEqual({ limit: 80, learned: false });
  });

  it('carry the next call, if that comes soon', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const users = client(undici, upstream.origin);
    await get(users);
    // undici lets a socket rest for one turn of the event loop, and opens another for who cannot wait.
    await new Promise(setImmediate);
    await get(users);
    expect(upstream.opened).toBe(1);
  });

  it('are not kept at all with keepAlive: false', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const users = client(undici, upstream.origin, { keepAlive: false });
    await get(users);
    await get(users);
    await upstream.empty();
    expect(upstream.opened).toBe(2);
    expect(upstream.hits[0]!.headers.connection).toBe('close');
    expect(users.stats().keepAlive).toEqual({ limit: 0, learned: false });
  });

  it('are closed a second before the time that the upstream announces', async () => {
    const upstream = await scriptedUpstream((_req, res) => {
      res.writeHead(200, { Connection: 'keep-alive', 'Keep-Alive': 'timeout=2' }).end();
    });
    const users = client(undici, upstream.origin, { keepAlive: 60_000 });
    expect(await delaysOf(() => get(users))).toContain(1000);
    await upstream.empty();
  });

  it('are not kept where the upstream announces a second or less', async () => {
    const upstream = await scriptedUpstream((_req, res) => {
      res.writeHead(200, { Connection: 'keep-alive', 'Keep-Alive': 'timeout=1' }).end();
    });
    const users = client(undici, upstream.origin);
    await get(users);
    await upstream.empty();
    await get(users);
    expect(upstream.opened).toBe(2);
  });

  it('are kept no longer because the upstream announces more than is configured', async () => {
    const upstream = await scriptedUpstream((_req, res) => {
      res.writeHead(200, { Connection: 'keep-alive', 'Keep-Alive': 'timeout=600' }).end();
    });
    const users = client(undici, upstream.origin, { keepAlive: 50 });
    expect(await delaysOf(() => get(users))).toContain(50);
    await upstream.empty();
  });

  it('teach when the upstream closes them, with no request at stake', async () => {
    const upstream = await punctualUpstream({ hint: false });
    const users = client(undici, upstream.origin);
    const seen = new Promise<Socket>((resolve) =>
      jest.spyOn(net, 'connect').mockImplementationOnce(intercept(resolve)),
    );
    await get(users);
    const gotAt = performance.now();
    const socket = await seen;
    await new Promise((resolve) => socket.once('close', resolve));
    const idleMs = performance.now() - gotAt;
    expect(users.stats()).toMatchObject({ resets: { first: 0, reused: 0 }, keepAlive: { learned: true } });
    const { limit } = users.stats().keepAlive;
    // Three quarters of the time in which it was seen to be open; it was idle a little before the test knew.
    expect(limit).toBeGreaterThanOrEqual(idleMs * 0.75 - 1);
    expect(limit).toBeLessThan(4000);
    jest.restoreAllMocks();
  });

  it('teach nothing when they are closed right after their use, as by a crash', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const users = client(undici, upstream.origin);
    await get(users);
    const [socket] = upstream.open;
    socket!.destroy();
    await upstream.empty();
    expect(await get(users)).toBe('ok');
    expect(users.stats()).toMatchObject({
      resets: { first: 0, reused: 0 },
      keepAlive: { limit: 4000, learned: false },
    });
  });

  describe('that are dead when they are used', () => {
    it('cost a GET nothing but a second try at once, on a fresh socket, and are given up sooner from then on', async () => {
      jest.spyOn(Math, 'random').mockReturnValue(0.99);
      const upstream = await forgetfulUpstream();
      const users = client(undici, upstream.origin);
      // Five sockets, all of which will be dead.
      await Promise.all(['/1', '/2', '/3', '/4', '/5'].map((path) => get(users, path)));
      expect(upstream.opened).toBe(5);
      await sleep(DROP_MS + 50);
      const retries = collect<RetryEvent>('retry');
      expect(await get(users, '/6')).toBe('ok');
      expect(retries.all).toEqual([
        expect.objectContaining({ attempt: 2, delayMs: 0, cause: 'UPSTREAM_RESET' }),
      ]);
      expect(users.stats()).toMatchObject({
        retries: 0,
        replays: 1,
        budget: 10,
        resets: { first: 0, reused: 1 },
        keepAlive: { learned: true },
      });
      const { limit } = users.stats().keepAlive;
      expect(limit).toBeGreaterThanOrEqual(Math.floor(DROP_MS * 0.75));
      expect(limit).toBeLessThan(4000);

      await sleep(limit + 100);
      expect(await get(users, '/7')).toBe('ok');
      expect(users.stats()).toMatchObject({ retries: 0, replays: 1, resets: { reused: 1 } });
      expect(new Set(upstream.processed.values())).toEqual(new Set([1]));
      jest.restoreAllMocks();
    });

    it('cost a POST an honest error, which names the socket, and not a second try', async () => {
      const upstream = await forgetfulUpstream();
      const users = client(undici, upstream.origin);
      await get(users, '/warm');
      await sleep(DROP_MS + 50);
      const error: any = await users.fetch(null, '/order', { method: 'POST' }).catch((e: unknown) => e);
      expect(classifyError(error)).toMatchObject({
        code: 'UPSTREAM_RESET',
        upstream: {
          origin: upstream.origin,
          attempt: 1,
          phase: 'waiting',
          reusedSocket: true,
          requestsOnSocket: 2,
        },
      });
      expect(error.cause.message).toMatch(/POST .*, attempt 1, on a socket that had been unused for \d+ ms/);
      expect(upstream.processed).toEqual(new Map([['/warm', 1]]));
      expect((await users.fetch(null, '/again', { method: 'POST' })).status).toBe(200);
      expect(users.stats()).toMatchObject({ retries: 0, resets: { first: 0, reused: 1 } });
    });

    it('cost a POST nothing where their death is seen before it is written', async () => {
      const upstream = await scriptedUpstream(answers.ok);
      const users = client(undici, upstream.origin);
      await get(users);
      const [socket] = upstream.open;
      socket!.resetAndDestroy();
      const response = await users.fetch(null, '/order', { method: 'POST', body: 'x' });
      expect(response.status).toBe(200);
      expect(upstream.hits.filter(({ url }) => url === '/order')).toHaveLength(1);
    });
  });
});

// 1,000 calls and 500 clients: more than a test's ordinary time on a busy machine.
jest.setTimeout(60_000);

describe('the race for sockets that the upstream closes at that very moment', () => {
  const POSTS = 120;

  /** Lets each of many clients use its socket again about when the upstream closes it; gives the codes of what failed. */
  async function race(
    undici: Undici,
    upstream: DroppingUpstream,
    method: string,
    clients: number,
  ): Promise<unknown[]> {
    const failures: unknown[] = [];
    const call = async (users: ReturnType<typeof client>, id: string): Promise<void> => {
      try {
        await (await users.fetch(null, id, { method })).text();
      } catch (error) {
        failures.push(classifyError(error)?.code ?? error);
      }
    };
    await Promise.all(
      Array.from({ length: clients }, async (_, n) => {
        // Not all at once: a busy event loop would blur the moment.
        await sleep(n * 3);
        const users = client(undici, upstream.origin);
        await call(users, `/${n}/warm`);
        await sleep(DROP_MS - 8 + (n % 16));
        await call(users, `/${n}/race`);
      }),
    );
    return failures;
  }

  it('is lost by none of 1,000 GETs', async () => {
    const runs = undicis().flatMap(([, undici]) => [
      { undici, hint: true },
      { undici, hint: false },
    ]);
    // Each client sends two: one to open its socket, one when that is about to be closed.
    const each = Math.ceil(1000 / runs.length / 2);
    const failures = await Promise.all(
      runs.map(async ({ undici, hint }) => race(undici, await punctualUpstream({ hint }), 'GET', each)),
    );
    expect(failures.flat()).toEqual([]);
  });

  it('lets no POST arrive twice, and fails none for another reason', async () => {
    const upstreams: DroppingUpstream[] = [];
    const failures = await Promise.all(
      undicis().map(async ([, undici]) => {
        const upstream = await punctualUpstream({ hint: false });
        upstreams.push(upstream);
        return race(undici, upstream, 'POST', POSTS);
      }),
    );
    for (const { processed } of upstreams) expect(Math.max(...processed.values())).toBe(1);
    expect(new Set(failures.flat())).toEqual(new Set(failures.flat().length === 0 ? [] : ['UPSTREAM_RESET']));
  });
});

/** Lets a spy see the socket that a client has opened. */
function intercept(seen: (socket: Socket) => void): any {
  const connect = net.connect as (...args: unknown[]) => Socket;
  return (...args: unknown[]) => {
    const socket = connect(...args);
    seen(socket);
    return socket;
  };
}
