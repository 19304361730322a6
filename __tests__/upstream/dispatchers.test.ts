/* eslint-disable @typescript-eslint/no-require-imports -- undici 8 can only be loaded where it runs */
import { once } from 'node:events';
import http from 'node:http';
import net, { type Socket } from 'node:net';
import { classifyError } from 'express-hangup';
import type * as Undici7 from 'undici';
import { listen } from '../fixtures/serve';
import { answers, client, runsUndici8, scriptedUpstream } from './scripted-upstream';

type Whole = typeof Undici7;

const versions: [string, Whole][] = [['undici 7', require('undici') as Whole]];
if (runsUndici8) versions.push(['undici 8', require('undici8') as Whole]);

describe.each(versions)('the dispatcher of a call, on %s', (_name, undici) => {
  const before = undici.getGlobalDispatcher();
  afterEach(() => {
    undici.setGlobalDispatcher(before);
  });

  function mockAgent(): Undici7.MockAgent {
    const agent = new undici.MockAgent();
    agent.disableNetConnect();
    agent.get('http://users.test').intercept({ path: '/v1/7' }).reply(200, { id: 7 }).persist();
    return agent;
  }

  it("may be undici's MockAgent, set for the whole app before or after the client was made", async () => {
    const users = client(undici, 'http://users.test');
    undici.setGlobalDispatcher(mockAgent());
    expect(await (await users.fetch(null, '/v1/7')).json()).toEqual({ id: 7 });
    expect(await (await users.request(null, '/v1/7')).body.json()).toEqual({ id: 7 });
    expect(await (await client(undici, 'http://users.test').fetch(null, '/v1/7')).json()).toEqual({ id: 7 });
  });

  it('lets nothing out where a MockAgent knows no answer', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const users = client(undici, upstream.origin);
    undici.setGlobalDispatcher(mockAgent());
    await expect(users.fetch(null, '/')).rejects.toMatchObject({
      cause: { code: 'UND_MOCK_ERR_MOCK_NOT_MATCHED' },
    });
    await expect(users.request(null, '/')).rejects.toMatchObject({ code: 'UND_MOCK_ERR_MOCK_NOT_MATCHED' });
    expect(upstream.opened).toBe(0);
    expect(users.stats().endpoints[0]).toMatchObject({ inFlight: 0, failures: 0 });
  });

  it('may be a MockAgent for one client, or for one call', async () => {
    const users = client(undici, 'http://users.test', { dispatcher: mockAgent() });
    expect((await users.fetch(null, '/v1/7')).status).toBe(200);
    const plain = client(undici, 'http://users.test');
    expect((await plain.request(null, '/v1/7', { dispatcher: mockAgent() })).statusCode).toBe(200);
    expect((await plain.fetch(null, '/v1/7', { dispatcher: mockAgent() })).status).toBe(200);
  });

  it('is sent again by the same rules: a mocked 503, then an answer', async () => {
    const agent = new undici.MockAgent();
    const pool = agent.get('http://users.test');
    pool.intercept({ path: '/' }).reply(503, 'no').times(2);
    pool.intercept({ path: '/' }).reply(200, 'yes');
    const users = client(undici, 'http://users.test', { dispatcher: agent });
    expect(await (await users.fetch(null, '/')).text()).toBe('yes');
    expect(users.stats()).toMatchObject({ retries: 2, endpoints: [{ failures: 2, inFlight: 0 }] });
  });

  it('ends with the call also where it answers late', async () => {
    const agent = new undici.MockAgent();
    agent.get('http://users.test').intercept({ path: '/' }).reply(200, 'late').delay(60_000).times(2);
    const users = client(undici, 'http://users.test', { dispatcher: agent });
    const signal = AbortSignal.timeout(30);
    await expect(users.fetch(null, '/', { signal })).rejects.toBe(await reasonOf(signal));
    await expect(users.request(null, '/', { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    await agent.close().catch(() => undefined);
  });

  it('is the global one where that is composed of an Agent and interceptors', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const seen: unknown[] = [];
    undici.setGlobalDispatcher(
      new undici.Agent().compose((dispatch) => (options, handler) => {
        seen.push(options.path);
        return dispatch(options, handler);
      }),
    );
    await (await client(undici, upstream.origin).fetch(null, '/seen')).text();
    expect(seen).toEqual(['/seen']);
  });

  it('is our own pool where the global one is a plain Agent', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    undici.setGlobalDispatcher(new undici.Agent({ connections: 1 }));
    await (await client(undici, upstream.origin, { keepAlive: 50 }).fetch(null, '/')).text();
    await upstream.empty();
    expect(upstream.opened).toBe(1);
  });

  /** A forward proxy that notes whom it was asked for. */
  async function proxy(): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const server = http.createServer((req, res) => {
      asked.push(req.url!);
      res.end('by a proxy');
    });
    server.on('connect', (req, socket: Socket) => {
      asked.push(`CONNECT ${req.url}`);
      const [host = '', port] = req.url!.split(':');
      const onward = net.connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      for (const each of [socket, onward]) each.on('error', () => undefined);
    });
    return { url: (await listen(server)).url, asked };
  }

  it('may be a ProxyAgent', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const { url, asked } = await proxy();
    const agent = new undici.ProxyAgent({ uri: url, proxyTunnel: true });
    const users = client(undici, upstream.origin, { dispatcher: agent });
    expect(await (await users.fetch(null, '/')).text()).toBe('ok');
    expect(await (await users.request(null, '/')).body.text()).toBe('ok');
    expect(asked[0]).toBe(`CONNECT ${new URL(upstream.origin).host}`);
    await agent.close();
  });

  it('may be an EnvHttpProxyAgent, which obeys HTTP_PROXY and NO_PROXY', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const { url, asked } = await proxy();
    const agent = new undici.EnvHttpProxyAgent({ httpProxy: url, noProxy: '127.0.0.2' });
    const users = client(undici, upstream.origin, { dispatcher: agent });
    await (await users.fetch(null, '/')).text();
    expect(asked).toHaveLength(1);
    await agent.close();
  });

  it('fails by our words when it is destroyed', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const pool = new undici.Pool(upstream.origin);
    await pool.destroy();
    const users = client(undici, upstream.origin, { dispatcher: pool });
    await expect(users.request(null, '/')).rejects.toThrow(`(GET ${upstream.origin}, attempt 1)`);
    expect(users.stats().endpoints[0]).toMatchObject({ inFlight: 0 });
  });

  it('gives up a call by it whose upstream breaks, as any', async () => {
    const upstream = await scriptedUpstream(answers.reset);
    const agent = new undici.Agent();
    const users = client(undici, upstream.origin, { dispatcher: agent });
    const error = await users.fetch(null, '/').catch((e: unknown) => e);
    expect(classifyError(error)).toMatchObject({
      code: 'UPSTREAM_RESET',
      upstream: { origin: upstream.origin },
    });
    expect(upstream.hits).toHaveLength(3);
    await agent.close();
  });

  it.each([[{}], ['http://proxy:3128'], [null]])('is refused for %j', async (dispatcher) => {
    const make = (): unknown => client(undici, 'http://users.test', { dispatcher: dispatcher as never });
    expect(make).toThrow(/"dispatcher" is .*, but must be an undici dispatcher/);
    const call = client(undici, 'http://users.test').fetch(null, '/', { dispatcher: dispatcher as never });
    await expect(call).rejects.toThrow(/fetch\(\): option "dispatcher"/);
  });
});

async function reasonOf(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await once(signal, 'abort');
  return signal.reason;
}

const withBoth = runsUndici8 ? describe : describe.skip;

withBoth('the global dispatcher of an app with both undicis', () => {
  it("is undici 8's MockAgent also for a client on undici 7", async () => {
    const [[, seven], [, eight]] = versions as [[string, Whole], [string, Whole]];
    const before = eight.getGlobalDispatcher();
    const agent = new eight.MockAgent();
    agent.disableNetConnect();
    agent.get('http://users.test').intercept({ path: '/' }).reply(200, 'mocked').times(2);
    eight.setGlobalDispatcher(agent);
    try {
      const users = client(seven, 'http://users.test');
      expect(await (await users.fetch(null, '/')).text()).toBe('mocked');
      expect(await (await users.request(null, '/')).body.text()).toBe('mocked');
    } finally {
      eight.setGlobalDispatcher(before);
    }
  });
});
