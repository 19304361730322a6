import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { classifyError, type UpstreamInfo } from 'express-hangup';
import { diagnose, type Diagnosis } from 'express-hangup/diagnose';
import { TEST_CERTIFICATES, TEST_KEY } from '../../src/testing/test-certificates';
import { serve } from '../fixtures/serve';
import { passTime } from './passing-time';
import { clients, errorOf, request } from './clients';
import {
  fin,
  freePort,
  ok,
  rst,
  scriptedUpstream,
  silence,
  type ScriptedUpstream,
} from './scripted-upstream';
import { until } from './until';

let diagnosis: Diagnosis;
let agent: http.Agent;
beforeEach(() => {
  diagnosis = diagnose();
  agent = new http.Agent({ keepAlive: true });
});
afterEach(async () => {
  agent.destroy();
  await new Promise(setImmediate);
  diagnosis.stop();
});

const upstreamOf = (error: unknown): UpstreamInfo | undefined => classifyError(error)?.upstream;
const adviceOf = async (promise: Promise<unknown>): Promise<string | undefined> =>
  upstreamOf(await errorOf(promise))?.advice;
const call = (
  upstream: ScriptedUpstream,
  options: http.RequestOptions & { body?: Buffer } = {},
): Promise<string> => request(upstream.origin, { agent, ...options });
const originIn = (upstream: ScriptedUpstream) =>
  diagnosis.report().origins.find(({ origin }) => origin === upstream.origin);

/** Lets the upstream close idle sockets after so many ms, and sees that twice, as a pool does in a quiet hour. */
async function watchIdleLimit(
  upstream: ScriptedUpstream,
  idleMs: number,
  callOnce: () => Promise<unknown>,
): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await callOnce();
    const [socket] = upstream.sockets;
    passTime(idleMs);
    socket?.end();
    await until(() => originIn(upstream)?.openSockets === 0);
    // Two sockets that close at the same moment are one event.
    passTime(60);
  }
}

describe('a stale keep-alive socket', () => {
  it.each(clients.filter(([name]) => /fetch|undici|node:http/.test(name)))(
    'is recognised by the idle limit of the upstream that was seen before: %s',
    async (_name, make) => {
      const client = make();
      const upstream = await scriptedUpstream(ok);
      await watchIdleLimit(upstream, 2000, () => client.call(upstream.origin));
      expect(originIn(upstream)?.upstreamIdle).toMatchObject({ by: 'seen' });
      const learned = originIn(upstream)?.upstreamIdle?.ms ?? 0;
      expect(learned).toBeGreaterThanOrEqual(2000);
      expect(learned).toBeLessThan(2700);
      await client.call(upstream.origin);
      // undici takes a socket back a moment after the body has been read.
      await wait(20);
      passTime(learned);
      upstream.script = rst;
      const error = await errorOf(client.call(upstream.origin));
      client.close();
      expect(upstreamOf(error)).toMatchObject({
        verdict: 'UWr',
        advice: expect.stringMatching(
          /closes idle sockets after about 2(\.\d)? s, and this one was reused after 2(\.\d)? s/,
        ),
      });
    },
  );

  it('is recognised by a long idle time alone, and learned from', async () => {
    const upstream = await scriptedUpstream(ok);
    await call(upstream);
    passTime(1050);
    upstream.script = fin;
    expect(await adviceOf(call(upstream))).toMatch(
      /had been idle for 1\.\d s and failed at once when it was reused.*this pool keeps them for ever/,
    );
  });

  it('is not seen in an upstream that dies of a request on a busy socket', async () => {
    const upstream = await scriptedUpstream(ok);
    await call(upstream);
    upstream.script = rst;
    const error = await errorOf(call(upstream));
    expect(upstreamOf(error)).toMatchObject({ verdict: 'UWr', reusedSocket: true });
    expect(upstreamOf(error)).not.toHaveProperty('advice');
  });

  it('is not seen where the upstream keeps its sockets for much longer', async () => {
    const upstream = await scriptedUpstream((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60\r\nContent-Length: 2\r\n\r\nok');
    });
    await call(upstream);
    passTime(1050);
    upstream.script = rst;
    const error = await errorOf(call(upstream));
    expect(upstreamOf(error)).toMatchObject({ verdict: 'UWr' });
    expect(upstreamOf(error)).not.toHaveProperty('advice');
  });

  it('is not seen in a request that the upstream has worked on for long', async () => {
    const upstream = await scriptedUpstream(ok);
    await call(upstream);
    passTime(1050);
    upstream.script = (socket) => {
      passTime(1050);
      socket.resetAndDestroy();
    };
    const error = await errorOf(call(upstream));
    expect(upstreamOf(error)).toMatchObject({ verdict: 'UWr' });
    expect(upstreamOf(error)).not.toHaveProperty('advice');
  });
});

describe('a refused connection', () => {
  it('is a wrong address, where nothing has ever answered', async () => {
    const port = await freePort();
    expect(await adviceOf(request(`http://127.0.0.1:${port}/`))).toBe(
      `Nothing accepts connections at http://127.0.0.1:${port}: check that it runs, and that host and port are right.`,
    );
  });

  it('is a restart, where the upstream has just answered', async () => {
    const upstream = await scriptedUpstream(ok);
    await call(upstream);
    await upstream.close();
    await until(() => originIn(upstream)?.openSockets === 0);
    expect(await adviceOf(call(upstream))).toMatch(
      /answered \d+ ms ago and now refuses: it is restarting or has crashed/,
    );
  });

  it('is one half of localhost, where only ::1 was tried', async () => {
    const port = await freePort();
    const error = await errorOf(
      request(`http://localhost:${port}`, { family: 6, lookup: lookupOf(['::1', 6]) }),
    );
    expect(upstreamOf(error)).toMatchObject({
      trigger: 'refused',
      advice: expect.stringContaining('tried at ::1 only'),
    });
  });

  it('is no half of localhost, where both addresses were tried', async () => {
    const port = await freePort();
    const lookup = lookupOf(['::1', 6], ['127.0.0.1', 4]);
    expect(await adviceOf(request(`http://localhost:${port}`, { lookup }))).toContain(
      'Nothing accepts connections',
    );
  });
});

describe('a name', () => {
  it('that does not exist is said to be so', async () => {
    expect(await adviceOf(fetch('http://nowhere.invalid:3001/'))).toContain('does not exist');
  });

  it('that the resolver does not answer for is not said to be missing', async () => {
    const lookup = (_host: string, _options: unknown, done: (error: Error) => void): void =>
      done(
        Object.assign(new Error('getaddrinfo EAI_AGAIN users'), {
          code: 'EAI_AGAIN',
          syscall: 'getaddrinfo',
        }),
      );
    const error = await errorOf(request('http://users:3001/', { lookup: lookup as never }));
    expect(upstreamOf(error)).toMatchObject({
      origin: 'http://users:3001',
      verdict: 'NN-',
      advice: expect.stringContaining('look at DNS, not at the upstream'),
    });
  });
});

describe('a restart', () => {
  it('is seen in many sockets that close at once, and in the first of them by hindsight', async () => {
    const upstream = await scriptedUpstream(silence);
    const calls: Promise<unknown>[] = [];
    for (let count = 1; count <= 3; count++) {
      calls.push(errorOf(call(upstream)));
      await until(() => upstream.sockets.size === count);
      passTime(300);
    }
    for (const socket of upstream.sockets) socket.resetAndDestroy();
    await Promise.all(calls);
    const rows = diagnosis.report().faults.filter(({ upstream: info }) => info?.origin === upstream.origin);
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(row.upstream?.advice).toContain('closed many connections at once');
  });

  it('is not seen in sockets that run out after the same idle time', async () => {
    const upstream = await scriptedUpstream(ok);
    await Promise.all([call(upstream), call(upstream), call(upstream)]);
    passTime(5000);
    for (const socket of upstream.sockets) socket.end();
    await until(() => originIn(upstream)?.openSockets === 0);
    upstream.script = rst;
    expect(await adviceOf(call(upstream))).toBeUndefined();
  });
});

describe('a timeout of the upstream', () => {
  const cutAfter = async (upstream: ScriptedUpstream, ms: number): Promise<string | undefined> => {
    const advice = adviceOf(call(upstream));
    await until(() => upstream.sockets.size === 1);
    passTime(ms);
    for (const socket of upstream.sockets) socket.end();
    await advice;
    await until(() => upstream.sockets.size === 0);
    return advice;
  };

  it('is recognised when it cuts a second request after the same time', async () => {
    const upstream = await scriptedUpstream(silence);
    expect(await cutAfter(upstream, 5000)).toBeUndefined();
    expect(await cutAfter(upstream, 5100)).toMatch(/cuts requests that take longer than about 5(\.\d)? s/);
    expect(originIn(upstream)?.cutsAfterMs).toBeGreaterThanOrEqual(5000);
  });

  it('is not seen in requests that fail after different times', async () => {
    const upstream = await scriptedUpstream(silence);
    expect(await cutAfter(upstream, 5000)).toBeUndefined();
    expect(await cutAfter(upstream, 8000)).toBeUndefined();
    expect(originIn(upstream)?.cutsAfterMs).toBeUndefined();
  });
});

describe('a body that is too large', () => {
  const body = Buffer.alloc(8 * 1024 * 1024);

  it('is seen in the second reset of an upload', async () => {
    const upstream = await scriptedUpstream(rst);
    const first = await errorOf(call(upstream, { body }));
    expect(upstreamOf(first)).toMatchObject({ phase: 'sending', verdict: 'US1' });
    expect(upstreamOf(first)).not.toHaveProperty('advice');
    expect(await adviceOf(call(upstream, { body }))).toContain('enforce a limit on its size');
  });

  it('is not seen in small bodies', async () => {
    const upstream = await scriptedUpstream(rst);
    await errorOf(call(upstream, { body: Buffer.alloc(100) }));
    expect(await adviceOf(call(upstream, { body: Buffer.alloc(100) }))).toBeUndefined();
  });

  it('is certain where the upstream had answered 413', async () => {
    const upstream = await scriptedUpstream((socket) => {
      socket.pause();
      socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 100\r\nConnection: close\r\n\r\n');
      setTimeout(() => socket.resetAndDestroy(), 30);
    });
    const req = http.request(upstream.origin, { method: 'POST' });
    req.on('response', (res) => res.on('error', () => undefined).resume());
    const failed = once(req, 'error');
    req.end(body);
    const [error] = await failed;
    expect(upstreamOf(error)?.advice).toContain('answered 413');
  });
});

describe('TLS', () => {
  it('asked of a plain port is said to be so', async () => {
    const { port } = await serve((_req: unknown, res: http.ServerResponse) => void res.end());
    expect(await adviceOf(fetch(`https://127.0.0.1:${port}/`))).toContain('does not speak TLS on this port');
  });

  it('with a certificate that is not accepted names the reason', async () => {
    const server = https.createServer(
      { key: TEST_KEY, cert: TEST_CERTIFICATES.trusted },
      (_req: unknown, res: http.ServerResponse) => res.end(),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    for (const send of [(url: string) => fetch(url), (url: string) => errorRequest(url)]) {
      const info = upstreamOf(await errorOf(send(`https://127.0.0.1:${port}/`)));
      expect(info).toMatchObject({
        origin: `https://127.0.0.1:${port}`,
        phase: 'tls',
        trigger: 'certificate',
        verdict: 'UT-',
        advice: expect.stringContaining('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
      });
    }
    server.close();
    server.closeAllConnections();
  });
});

describe('a connection that a firewall has forgotten', () => {
  // The kernel gives such a connection up after many minutes: the error is real, its moment is not.
  const etimedout = (): Error =>
    Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT', syscall: 'read' });

  it('is seen in a reused socket that had been idle for long', async () => {
    const upstream = await scriptedUpstream(ok);
    await call(upstream);
    passTime(1050);
    upstream.script = silence;
    const req = http.get(upstream.origin, { agent });
    req.on('finish', () => req.socket?.destroy(etimedout()));
    const [error] = await once(req, 'error');
    expect(upstreamOf(error)).toMatchObject({ trigger: 'kernel-timeout', verdict: 'uWr' });
    expect(upstreamOf(error)?.advice).toContain('silently forgotten the connection');
  });

  it('is not seen in a first socket', async () => {
    const upstream = await scriptedUpstream(silence);
    const req = http.get(upstream.origin, { agent });
    req.on('finish', () => req.socket?.destroy(etimedout()));
    const [error] = await once(req, 'error');
    expect(upstreamOf(error)).toMatchObject({ trigger: 'kernel-timeout', verdict: 'uW1' });
    expect(upstreamOf(error)).not.toHaveProperty('advice');
  });
});

function errorRequest(url: string): Promise<unknown> {
  return new Promise((resolve, reject) => https.get(url, resolve).on('error', reject));
}

type Address = readonly [address: string, family: number];

function lookupOf(...addresses: readonly Address[]): never {
  const all = addresses.map(([address, family]) => ({ address, family }));
  const lookup = (
    _host: string,
    { all: wantsAll }: { all?: boolean },
    done: (...args: unknown[]) => void,
  ): void => {
    if (wantsAll === true) done(null, all);
    else done(null, all[0]?.address, all[0]?.family);
  };
  return lookup as never;
}
