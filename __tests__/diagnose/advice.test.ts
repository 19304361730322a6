import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { classifyError, type UpstreamInfo } from 'express-hangup';
import { diagnose, type Diagnosis } from 'express-hangup/diagnose';
import { TEST_CA, TEST_CERTIFICATES, TEST_KEY } from '../../src/testing/upstream/test-certificates';
import { nativeRequire } from '../fixtures/native-require';
import { serve } from '../fixtures/serve';
import { passTime } from './passing-time';
import { clients, errorOf, request } from './clients';
import { freePort, ok, rst, scriptedUpstream, silence, type ScriptedUpstream } from './scripted-upstream';
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
  { path = '/', ...options }: http.RequestOptions & { body?: Buffer } = {},
): Promise<string> => request(`${upstream.origin}${path ?? '/'}`, { agent, ...options });

/** Requests that the upstream answers, each on a socket that was in use a moment ago. */
async function answerSome(upstream: ScriptedUpstream, count = 4): Promise<void> {
  const { script } = upstream;
  upstream.script = ok;
  for (let at = 0; at < count; at++) await call(upstream, { path: `/answered/${at}` });
  upstream.script = script;
}

/** A request that is lost on a socket that had been idle for so many ms. */
async function lose(
  upstream: ScriptedUpstream,
  idleMs: number,
  path = '/',
): Promise<UpstreamInfo | undefined> {
  upstream.script = ok;
  await call(upstream, { path: '/before' });
  passTime(idleMs);
  upstream.script = rst;
  const error = await errorOf(call(upstream, { path }));
  passTime(100);
  return upstreamOf(error);
}
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
  // From Node 22 on the agent of node:http hides what the upstream does to an idle socket.
  const showsIdleSockets =
    Number(process.versions.node.split('.')[0]) < 22 ? /fetch|undici|node:http/ : /fetch|undici/;

  it.each(clients.filter(([name]) => showsIdleSockets.test(name)))(
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

  it('is recognised by what the upstream announces', async () => {
    const announcing = 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok';
    const upstream = await scriptedUpstream((socket) => void socket.write(announcing));
    await call(upstream);
    passTime(4900);
    upstream.script = rst;
    expect(upstreamOf(await errorOf(call(upstream)))).toMatchObject({
      advice: expect.stringContaining('closes idle sockets after about 5 s'),
      evidence: expect.stringMatching(
        /^It announces so; the request failed \d+ ms after it was sent, and none/,
      ),
    });
  });

  it('is recognised by what was lost and what was not, from the second loss on', async () => {
    const upstream = await scriptedUpstream(ok);
    await answerSome(upstream);
    expect(await lose(upstream, 5000, '/a')).not.toHaveProperty('advice');
    const info = await lose(upstream, 6000, '/b');
    expect(info).toMatchObject({
      advice: expect.stringMatching(
        /had been idle for 6 s and failed at once.*this pool keeps them for ever/,
      ),
      evidence:
        '2 of 2 requests were lost on sockets that had been idle for 5 s or longer, 0 of 6 on younger ones.',
    });
    const rows = diagnosis.report().faults.filter(({ upstream: of }) => of?.origin === upstream.origin);
    expect(rows.map(({ upstream: of }) => of?.evidence)).toEqual([info?.evidence, info?.evidence]);
    expect(diagnosis.report().findings).toEqual([
      expect.stringMatching(
        /^2 of 2 requests to \S+ were lost on sockets that had been idle for 5 s or longer/,
      ),
    ]);
  });

  it('is not seen in a poison request, by which the upstream dies on whatever socket', async () => {
    const upstream = await scriptedUpstream(ok);
    await answerSome(upstream);
    for (let count = 0; count < 3; count++)
      expect(await lose(upstream, 1100, '/poison')).not.toHaveProperty('advice');
    expect(originIn(upstream)?.upstreamIdle).toBeUndefined();
    expect(diagnosis.report().findings).toEqual([]);
  });

  it('is not seen where requests were lost on young sockets too', async () => {
    const upstream = await scriptedUpstream(ok);
    await answerSome(upstream);
    await lose(upstream, 5000, '/a');
    await lose(upstream, 0, '/b');
    expect(await lose(upstream, 6000, '/c')).not.toHaveProperty('advice');
  });

  it('is not seen where another request was answered on an older socket', async () => {
    const upstream = await scriptedUpstream(ok);
    await answerSome(upstream);
    await lose(upstream, 5000, '/a');
    upstream.script = ok;
    await call(upstream);
    passTime(20_000);
    await call(upstream);
    expect(await lose(upstream, 6000, '/b')).not.toHaveProperty('advice');
  });

  it('is not seen in an upstream that works for a while and then crashes', async () => {
    const upstream = await scriptedUpstream(ok);
    await answerSome(upstream);
    for (const path of ['/a', '/b', '/c']) {
      upstream.script = ok;
      await call(upstream);
      passTime(5000);
      upstream.script = (socket) => {
        passTime(800);
        socket.resetAndDestroy();
      };
      expect(upstreamOf(await errorOf(call(upstream, { path })))).not.toHaveProperty('advice');
      passTime(2000);
    }
  });

  it('is not learned from sockets that the app itself has destroyed', async () => {
    const upstream = await scriptedUpstream(ok);
    for (let round = 0; round < 3; round++) {
      agent = new http.Agent({ keepAlive: true });
      await call(upstream);
      passTime(1422);
      agent.destroy();
      await until(() => originIn(upstream)?.openSockets === 0);
      passTime(100);
    }
    expect(originIn(upstream)).toMatchObject({ upstreamIdle: undefined, verdicts: {} });
    expect(diagnosis.report().findings.filter((finding) => /closes|lost/.test(finding))).toEqual([]);
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

  it('is not seen in sockets that the app itself destroys together with one that is reset', async () => {
    const upstream = await scriptedUpstream(silence);
    const requests: http.ClientRequest[] = [];
    const calls: Promise<unknown>[] = [];
    for (let count = 1; count <= 4; count++) {
      const req = http.get(upstream.origin, { agent });
      requests.push(req);
      calls.push(once(req, 'error').then(([error]) => error as unknown));
      await until(() => upstream.sockets.size === count);
      passTime(300);
    }
    const reset = [...upstream.sockets][3];
    for (const req of requests.slice(0, 3)) req.destroy();
    reset?.resetAndDestroy();
    const infos = (await Promise.all(calls)).map(upstreamOf);
    expect(infos.map((info) => info?.verdict)).toEqual(['PW1', 'PW1', 'PW1', 'UW1']);
    for (const info of infos) expect(info).not.toHaveProperty('advice');
    for (const row of diagnosis.report().faults) expect(row.upstream).not.toHaveProperty('advice');
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
  const cutAfter = async (
    upstream: ScriptedUpstream,
    ms: number,
    path: string,
  ): Promise<string | undefined> => {
    const advice = adviceOf(call(upstream, { path }));
    await until(() => upstream.sockets.size === 1);
    passTime(ms);
    for (const socket of upstream.sockets) socket.end();
    await advice;
    await until(() => upstream.sockets.size === 0);
    return advice;
  };

  it('is recognised when it cuts a third request after the same time', async () => {
    const upstream = await scriptedUpstream(silence);
    expect(await cutAfter(upstream, 5000, '/a')).toBeUndefined();
    expect(await cutAfter(upstream, 5100, '/b')).toBeUndefined();
    expect(await cutAfter(upstream, 5050, '/c')).toMatch(
      /cuts requests that take longer than about 5(\.\d)? s/,
    );
    expect(originIn(upstream)?.cutsAfterMs).toBeGreaterThanOrEqual(5000);
    const [row] = diagnosis.report().faults;
    expect(row?.upstream?.evidence).toMatch(/^3 requests for different things were cut after 5(\.\d)? s/);
  });

  it('is not seen in requests that fail after different times', async () => {
    const upstream = await scriptedUpstream(silence);
    for (const [ms, path] of [
      [5000, '/a'],
      [8000, '/b'],
      [12_000, '/c'],
    ] as const)
      expect(await cutAfter(upstream, ms, path)).toBeUndefined();
    expect(originIn(upstream)?.cutsAfterMs).toBeUndefined();
  });

  it('is not seen in one request, at which the upstream dies again and again', async () => {
    const upstream = await scriptedUpstream(silence);
    for (let count = 0; count < 4; count++) expect(await cutAfter(upstream, 5000, '/poison')).toBeUndefined();
  });

  it('is not seen where a request that took longer was answered', async () => {
    const upstream = await scriptedUpstream((socket) => {
      passTime(7000);
      ok(socket, '');
    });
    await call(upstream);
    upstream.script = silence;
    for (const path of ['/a', '/b', '/c', '/d']) expect(await cutAfter(upstream, 5000, path)).toBeUndefined();
  });
});

describe('a body that is too large', () => {
  const body = Buffer.alloc(8 * 1024 * 1024);

  it('is seen in the second reset of an upload, where smaller requests are answered', async () => {
    const upstream = await scriptedUpstream(rst);
    await answerSome(upstream);
    agent = new http.Agent({ keepAlive: true });
    const first = await errorOf(call(upstream, { body }));
    expect(upstreamOf(first)).toMatchObject({ phase: 'sending', verdict: 'US1' });
    expect(upstreamOf(first)).not.toHaveProperty('advice');
    expect(upstreamOf(await errorOf(call(upstream, { body })))).toMatchObject({
      advice: expect.stringContaining('enforce a limit on its size'),
      evidence: expect.stringMatching(
        /^2 requests of \d+ kB or more were cut .* 4 smaller ones were answered/,
      ),
    });
  });

  it('is not seen in an upstream that answers nothing', async () => {
    const upstream = await scriptedUpstream(rst);
    for (let count = 0; count < 3; count++) expect(await adviceOf(call(upstream, { body }))).toBeUndefined();
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

  it.each([
    ['trusted', undefined, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'an authority that this process does not know'],
    ['self-signed', TEST_CA, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'is signed by itself'],
    ['expired', TEST_CA, 'CERT_HAS_EXPIRED', 'has expired: renew it'],
    ['wrong-name', TEST_CA, 'ERR_TLS_CERT_ALTNAME_INVALID', 'is for other names than this host'],
  ] as const)('with a certificate that is %s is given the advice for that', async (kind, ca, code, words) => {
    const server = https.createServer({ key: TEST_KEY, cert: TEST_CERTIFICATES[kind] }, (_req, res) =>
      res.end(),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const url = `https://127.0.0.1:${port}/`;
    const { Agent } = nativeRequire('undici');
    const dispatcher = new Agent({ connect: ca === undefined ? {} : { ca } });
    for (const send of [
      () => fetch(url, { dispatcher }),
      () => new Promise((resolve, reject) => https.get(url, { ca }, resolve).on('error', reject)),
    ]) {
      const info = upstreamOf(await errorOf(send()));
      expect(info).toMatchObject({
        origin: `https://127.0.0.1:${port}`,
        phase: 'tls',
        trigger: 'certificate',
        verdict: 'UT-',
        advice: expect.stringContaining(words),
        evidence: expect.stringContaining(code),
      });
      expect(info?.advice?.includes('renew')).toBe(kind === 'expired');
    }
    await dispatcher.destroy();
    server.close();
    server.closeAllConnections();
  });
});

describe('a connection that a firewall has forgotten', () => {
  // The kernel gives such a connection up after many minutes: the error is real, its moment is not.
  const etimedout = (): Error =>
    Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT', syscall: 'read' });

  const forget = async (upstream: ScriptedUpstream, idleMs: number, path: string) => {
    upstream.script = ok;
    await call(upstream);
    passTime(idleMs);
    upstream.script = silence;
    const req = http.get(`${upstream.origin}${path}`, { agent });
    req.on('finish', () => req.socket?.destroy(etimedout()));
    const [error] = await once(req, 'error');
    passTime(100);
    return upstreamOf(error);
  };

  it('is seen in reused sockets that had been idle for long, where younger ones work', async () => {
    const upstream = await scriptedUpstream(ok);
    await answerSome(upstream);
    expect(await forget(upstream, 300_000, '/a')).not.toHaveProperty('advice');
    expect(await forget(upstream, 360_000, '/b')).toMatchObject({
      trigger: 'kernel-timeout',
      verdict: 'uWr',
      advice: expect.stringContaining('silently forgotten the connection, which had been idle for 6 min'),
      evidence: expect.stringContaining('2 of 2 requests were lost on sockets that had been idle for 5 min'),
    });
  });

  it('is not seen in a host that has lost its power', async () => {
    const upstream = await scriptedUpstream(ok);
    await answerSome(upstream);
    for (const path of ['/a', '/b']) expect(await forget(upstream, 2000, path)).not.toHaveProperty('advice');
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
