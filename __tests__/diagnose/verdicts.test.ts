import { once } from 'node:events';
import http from 'node:http';
import {
  ClientClosedRequestError,
  DeadlineExceededError,
  classifyError,
  type UpstreamInfo,
} from 'express-hangup';
import { diagnose, type Diagnosis, type FaultReport } from 'express-hangup/diagnose';
import { nativeRequire } from '../fixtures/native-require';
import { clients, errorOf, request, type Client } from './clients';
import {
  cutBody,
  fin,
  freePort,
  garbage,
  ok,
  rst,
  scriptedUpstream,
  silence,
  type ScriptedUpstream,
} from './scripted-upstream';
import { triggerOf } from '../../src/diagnose/verdicts/trigger';
import { until } from './until';

let diagnosis: Diagnosis;
beforeEach(() => (diagnosis = diagnose()));
afterEach(() => diagnosis.stop());

const upstreamOf = (error: unknown): UpstreamInfo | undefined => classifyError(error)?.upstream;

describe.each(clients)('the fault of %s', (_name, make) => {
  let client: Client;
  beforeEach(() => (client = make()));
  afterEach(async () => {
    client.close();
    await new Promise(setImmediate);
  });

  const failOf = async (url: string): Promise<UpstreamInfo | undefined> =>
    upstreamOf(await errorOf(client.call(url)));

  it('says that the connection was refused', async () => {
    const port = await freePort();
    expect(await failOf(`http://127.0.0.1:${port}/secret`)).toMatchObject({
      origin: `http://127.0.0.1:${port}`,
      phase: 'connect',
      trigger: 'refused',
      verdict: 'UC-',
    });
  });

  it('says that the name does not exist', async () => {
    expect(await failOf('http://nowhere.invalid:3001/')).toMatchObject({
      origin: 'http://nowhere.invalid:3001',
      phase: 'dns',
      trigger: 'name-not-found',
      verdict: 'NN-',
    });
  });

  it.each([
    ['fin', fin],
    ['rst', rst],
  ] as const)('tells a %s on a first socket, before the answer', async (trigger, script) => {
    const upstream = await scriptedUpstream(script);
    expect(await failOf(upstream.origin)).toMatchObject({
      origin: upstream.origin,
      phase: 'waiting',
      trigger,
      reusedSocket: false,
      requestsOnSocket: 1,
      verdict: 'UW1',
    });
  });

  it.each([
    ['fin', fin],
    ['rst', rst],
  ] as const)(
    'tells a %s on a reused socket, with its idle time and its count of requests',
    async (trigger, script) => {
      const upstream = await scriptedUpstream(ok);
      await client.call(upstream.origin);
      await new Promise((resolve) => setTimeout(resolve, 60));
      upstream.script = script;
      const info = await failOf(upstream.origin);
      expect(info).toMatchObject({
        trigger,
        reusedSocket: true,
        requestsOnSocket: 2,
        phase: 'waiting',
        verdict: 'UWr',
      });
      await rowOf(upstream.origin);
      expect(info?.idleMs).toBeGreaterThanOrEqual(50);
    },
  );

  it('says that the answer is not HTTP', async () => {
    const upstream = await scriptedUpstream(garbage);
    expect(await failOf(upstream.origin)).toMatchObject({
      trigger: 'parse-error',
      phase: 'waiting',
      verdict: 'UW1',
    });
  });

  it('says that the call was given up while it waited', async () => {
    const upstream = await scriptedUpstream(silence);
    const reason = new DeadlineExceededError(40);
    await errorOf(client.call(upstream.origin, { signal: signalThatFires(reason, upstream) }));
    const row = await rowOf(upstream.origin);
    expect(row.upstream).toMatchObject({ phase: 'waiting', reusedSocket: false });
    // axios and got lose the reason on the way to the error of node:http; what is known is that this process gave up.
    expect(['dW1', 'PW1']).toContain(row.upstream?.verdict);
  });
});

describe('a body that is cut', () => {
  it.each(clients.flatMap(([name, make]) => [['fin', name, make] as const, ['rst', name, make] as const]))(
    'by %s, is told of %s',
    async (how, _name, make) => {
      const client = make();
      const upstream = await scriptedUpstream(cutBody(how));
      await errorOf(client.call(upstream.origin));
      client.close();
      const row = await rowOf(upstream.origin);
      expect(row.upstream).toMatchObject({
        phase: 'body',
        trigger: how,
        verdict: 'UB1',
      });
    },
  );
});

// axios and got make a new error of a truncated body, without its cause.
it.each(clients.filter(([name]) => name !== 'axios' && name !== 'got'))(
  'a cut body of %s carries its upstream',
  async (_name, make) => {
    const client = make();
    const upstream = await scriptedUpstream(cutBody('fin'));
    const error = await errorOf(client.call(upstream.origin));
    client.close();
    expect(classifyError(error)).toMatchObject({
      code: 'UPSTREAM_RESET',
      upstream: { verdict: 'UB1', trigger: 'fin' },
    });
  },
);

describe('who gave up', () => {
  it('is the deadline, when the signal carries it', async () => {
    const upstream = await scriptedUpstream(silence);
    const error = await errorOf(
      fetch(upstream.origin, { signal: signalThatFires(new DeadlineExceededError(40), upstream) }),
    );
    expect(classifyError(error)).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      upstream: { trigger: 'deadline', verdict: 'dW1' },
    });
  });

  it('is the client that has left, and that is no row of the report', async () => {
    const upstream = await scriptedUpstream(silence);
    const error = await errorOf(
      fetch(upstream.origin, { signal: signalThatFires(new ClientClosedRequestError(), upstream) }),
    );
    expect(upstreamOf(error)).toMatchObject({ trigger: 'client-closed', verdict: 'CW1' });
    expect(diagnosis.report().faults).toEqual([]);
    expect(diagnosis.report().origins[0]?.verdicts).toEqual({});
  });

  it('is the timeout of a signal', async () => {
    const upstream = await scriptedUpstream(silence);
    for (const call of [fetch, request]) {
      const error = await errorOf(call(upstream.origin, { signal: AbortSignal.timeout(250) }));
      expect(upstreamOf(error)).toMatchObject({
        trigger: 'signal-timeout',
        phase: 'waiting',
        verdict: 'uW1',
      });
    }
  });

  it('is the timeout of undici for headers, by its name', async () => {
    const upstream = await scriptedUpstream(silence);
    const { request: undiciRequest, Agent } = nativeRequire('undici');
    const dispatcher = new Agent({ headersTimeout: 50 });
    const error = await errorOf(undiciRequest(upstream.origin, { dispatcher }));
    dispatcher.destroy();
    expect(classifyError(error)).toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
      upstream: { trigger: 'headers-timeout', phase: 'waiting', verdict: 'uW1' },
    });
  });

  it('is the timeout of the socket, when the request is destroyed for it', async () => {
    const upstream = await scriptedUpstream(silence);
    const req = http.get(upstream.origin, { timeout: 50 }).on('timeout', () => req.destroy());
    const [error] = await once(req, 'error');
    expect(upstreamOf(error)).toMatchObject({ trigger: 'socket-timeout', verdict: 'uW1' });
  });

  it('is this process, when it destroys the request', async () => {
    const upstream = await scriptedUpstream(silence);
    const req = http.get(upstream.origin);
    upstream.script = () => req.destroy();
    const [error] = await once(req, 'error');
    // The error alone is the same as for a FIN of the upstream.
    expect(error).toMatchObject({ code: 'ECONNRESET', message: 'socket hang up' });
    expect(upstreamOf(error)).toMatchObject({ trigger: 'destroyed', phase: 'waiting', verdict: 'PW1' });
  });

  it('is this process, when it destroys the request in the middle of the body', async () => {
    const upstream = await scriptedUpstream((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok');
    });
    const req = http.get(upstream.origin);
    const [res] = await once(req, 'response');
    req.destroy();
    const [error] = await once(res, 'error');
    expect(upstreamOf(error)).toMatchObject({ trigger: 'destroyed', phase: 'body', verdict: 'PB1' });
  });

  it('is told of a request that never got a socket', async () => {
    const upstream = await scriptedUpstream(silence);
    const agent = new http.Agent({ maxSockets: 1 });
    const first = http.get(upstream.origin, { agent }).on('error', () => undefined);
    await once(first, 'socket');
    const second = http.get(upstream.origin, { agent });
    second.destroy(new Error('enough'));
    const failed = once(second, 'error');
    // Node tells a request in the queue only when its turn comes.
    first.destroy();
    const [error] = await failed;
    expect(error.message).toBe('enough');
    const row = diagnosis.report().faults.find(({ upstream: info }) => info?.phase === 'queue');
    expect(row?.upstream).toMatchObject({
      origin: upstream.origin,
      phase: 'queue',
      trigger: 'destroyed',
      verdict: 'PQ-',
    });
  });
});

/** The only row of the report about this upstream; some clients reject before their socket has closed. */
async function rowOf(origin: string): Promise<FaultReport> {
  const rows = (): FaultReport[] =>
    diagnosis.report().faults.filter(({ upstream }) => upstream?.origin === origin);
  await until(() => rows().length > 0);
  expect(rows()).toHaveLength(1);
  return rows()[0]!;
}

function signalThatFires(reason: unknown, upstream: ScriptedUpstream): AbortSignal {
  const controller = new AbortController();
  // When the upstream has the request, a moment later: the client has then written all of it.
  upstream.script = () => setTimeout(() => controller.abort(reason), 20);
  return controller.signal;
}

it.each(['constructor', '__proto__', 'toString'])('an error of the code %s is told by its cause', (code) => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' });
  const seen = { isDestroyedHere: false, isTimedOut: false, endedBy: undefined, abortedBy: undefined };
  const circumstances = { ...seen, isConnecting: true, connectingMs: undefined };
  expect(triggerOf(Object.assign(new Error('x', { cause }), { code }), circumstances)).toBe('refused');
});
