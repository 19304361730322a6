import { hangupProxy } from 'express-hangup/proxy';
import { clientThatHangsUp } from 'express-hangup/testing';
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { collect } from '../fixtures/events';
import { proxyApp, proxyVersions, startUpstream, type AnyOptions } from './fixture';
import { rawUpstream } from './raw-upstream';

const IDLE_MS = 15;
const LANES = 25;

function agentOf(target: string): http.Agent {
  return hangupProxy<AnyOptions>({ target }).agent as http.Agent;
}

/** Asks through an agent; gives whether the connection had been used before. */
async function ask(agent: http.Agent, url: string, method = 'GET'): Promise<boolean> {
  const request = http.request(url, { agent, method }).end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  await once(response.resume(), 'end');
  await new Promise(setImmediate);
  return request.reusedSocket;
}

function idleTimeouts(agent: http.Agent): unknown[] {
  return Object.values(agent.freeSockets).flatMap((sockets = []) => sockets.map(({ timeout }) => timeout));
}

describe('the default agent', () => {
  it('closes a connection that was idle for 4 s', async () => {
    const upstream = await startUpstream();
    const agent = agentOf(upstream.url);

    expect(await ask(agent, upstream.url)).toBe(false);
    expect(await ask(agent, upstream.url)).toBe(true);
    expect(idleTimeouts(agent)).toEqual([4000]);
    agent.destroy();
  });

  it.each([
    [1, []],
    [3, [2000]],
    [75, [4000]],
  ])('heeds the upstream’s Keep-Alive: timeout=%i less a second', async (seconds, timeouts) => {
    const url = await rawUpstream(
      `HTTP/1.1 200 OK\r\nKeep-Alive: max=9, timeout=${seconds}\r\nContent-Length: 0\r\n\r\n`,
    );
    const agent = agentOf(url);

    await ask(agent, url);

    expect(idleTimeouts(agent)).toEqual(timeouts);
    agent.destroy();
  });

  it('does not cut a response that is silent for longer than that', async () => {
    let requests = 0;
    const url = await rawUpstream((socket) => {
      const answer = (): void => {
        socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2\r\nContent-Length: 0\r\n\r\n');
      };
      socket.on('data', () => setTimeout(answer, requests++ === 0 ? 0 : 1200));
    });
    const agent = agentOf(url);
    await ask(agent, url);

    expect(await ask(agent, url)).toBe(true);
    agent.destroy();
  });

  it('sends what cannot be repeated over a fresh connection only', async () => {
    const upstream = await startUpstream();
    const agent = agentOf(upstream.url);
    await ask(agent, upstream.url);

    expect(await ask(agent, upstream.url, 'POST')).toBe(true);
    await sleep(1050);
    expect(await ask(agent, upstream.url, 'POST')).toBe(false);
    agent.destroy();
  });
});

describe.each(proxyVersions)('the connections to the upstream, %s', (_name, hpm) => {
  it('lose none of 1,000 GETs spaced around the upstream’s idle limit', async () => {
    const upstream = await startUpstream({ fault: { fault: 'idle-close', ms: IDLE_MS } });
    const { url, errors } = await proxyApp(hpm, upstream.url);
    const agent = new http.Agent({ keepAlive: true });
    const statuses: Record<number, number> = {};

    await Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        for (let i = 0; i < 1000 / LANES; i++) {
          const request = http.get(url, { agent });
          const [response] = (await once(request, 'response')) as [http.IncomingMessage];
          await once(response.resume(), 'end');
          const { statusCode = 0 } = response;
          statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
          await sleep(IDLE_MS - 3 + ((lane + i) % 5));
        }
      }),
    );
    agent.destroy();

    expect(statuses).toEqual({ 200: 1000 });
    expect(errors).toEqual([]);
  });

  it('that turn out dead have a GET sent once more, on a new one', async () => {
    const upstream = await startUpstream({ fault: ['stale', 'ok'] });
    const onError = jest.fn();
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { xfwd: true, on: { error: onError } } });
    const retries = collect('retry');
    await clientThatHangsUp(url);

    const { response } = await clientThatHangsUp(url);

    expect(response).toMatchObject({ status: 200, complete: true });
    expect(upstream.attempts.map(({ socketId, requestOnSocket }) => [socketId, requestOnSocket])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
    ]);
    expect(upstream.attempts[2]?.headers['x-forwarded-for']).toMatch(/^[^,]*127\.0\.0\.1$/);
    expect(retries.all).toEqual([
      { origin: upstream.origin, method: 'GET', attempt: 2, delayMs: 0, cause: 'ECONNRESET' },
    ]);
    expect(onError).not.toHaveBeenCalled();
  });

  it('that turn out dead twice are a 502', async () => {
    const upstream = await startUpstream({ fault: ['stale', 'ok', 'reset'] });
    const { url, errors } = await proxyApp(hpm, upstream.url);
    const faults = collect('fault');
    await clientThatHangsUp(url);
    upstream.use('reset');

    const { response } = await clientThatHangsUp(url);

    expect(response?.status).toBe(502);
    expect(errors).toHaveLength(1);
    expect(await faults.next()).toMatchObject({ upstream: { attempt: 2, reusedSocket: false } });
  });

  it('that turn out dead under a POST are a 502 that tells so', async () => {
    const upstream = await startUpstream({ fault: 'stale' });
    const { url } = await proxyApp(hpm, upstream.url);
    const faults = collect('fault');
    await clientThatHangsUp(url);

    const { response } = await clientThatHangsUp(url, { body: 'x' });

    expect(response?.status).toBe(502);
    expect(upstream.attempts).toHaveLength(2);
    expect(await faults.next()).toMatchObject({
      code: 'UPSTREAM_RESET',
      upstream: { reusedSocket: true, idleMs: expect.any(Number) as number },
    });
  });

  it('that break amid the headers do not have a GET sent again', async () => {
    let requests = 0;
    const target = await rawUpstream((socket) => {
      socket.on('data', () => {
        requests += 1;
        if (requests === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        else socket.end('HTTP/1.1 200 OK\r\nContent-Le');
      });
    });
    const { url } = await proxyApp(hpm, target);
    await clientThatHangsUp(url);

    expect((await clientThatHangsUp(url)).response?.status).toBe(502);
    expect(requests).toBe(2);
  });

  it('are not kept behind a chunked upload, whose framing an upstream might misread', async () => {
    const upstream = await startUpstream();
    const { url } = await proxyApp(hpm, upstream.url);

    await clientThatHangsUp(url, { body: 'x', chunked: true });

    expect((await upstream.nextAttempt()).headers.connection).toBe('close');
  });
});
