import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { gate, listen } from '../../fixtures/serve';
import { answers, client, scriptedUpstream, undicis } from '../scripted-upstream';

interface Address {
  address: string;
  family: number;
}

/** Answers the name of an upstream with these addresses, as `dns.lookup()` does. */
function lookupOf(addresses: () => Address[]): any {
  return (_name: string, { all }: { all?: boolean }, callback: (...args: unknown[]) => void) => {
    const [first] = addresses();
    if (first === undefined)
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));
    else if (all) callback(null, addresses());
    else callback(null, first.address, first.family);
  };
}

const v4 = (address: string): Address => ({ address, family: 4 });
const THREE = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

/** One server behind three addresses, which counts who was connected to. Linux takes all of 127.0.0.0/8 for itself. */
async function server(): Promise<{ port: number; hits: Map<string, number>; server: http.Server }> {
  const hits = new Map<string, number>();
  const made = http.createServer((req, res) => {
    const { localAddress = '' } = req.socket;
    hits.set(localAddress, (hits.get(localAddress) ?? 0) + 1);
    setImmediate(() => res.end(`${req.headers.host} at ${localAddress}`));
  });
  made.keepAliveTimeout = 60_000;
  made.listen(0, '0.0.0.0');
  await once(made, 'listening');
  open.push(made);
  return { port: (made.address() as AddressInfo).port, hits, server: made };
}

const open: http.Server[] = [];
afterEach(() => {
  for (const made of open.splice(0)) made.close().closeAllConnections();
});

describe.each(undicis())('a name with several addresses, on %s', (_name, undici) => {
  it('has its calls at all of them', async () => {
    const { port, hits } = await server();
    const users = client(undici, `http://users.test:${port}`, {
      connect: { lookup: lookupOf(() => THREE.map(v4)) },
    });
    await Promise.all(Array.from({ length: 60 }, async () => (await users.fetch(null, '/')).text()));
    // Which was chosen; a busy machine may let a socket go elsewhere, which Node does after 250 ms.
    for (const { requests } of users.stats().endpoints) expect(requests).toBeGreaterThanOrEqual(15);
    expect([...hits.keys()].sort()).toEqual(THREE);
    expect(users.stats().endpoints.map(({ origin, address }) => [origin, address])).toEqual(
      THREE.map((address) => [`http://users.test:${port}`, address]),
    );
  });

  it('is what the upstream is told, whatever the address', async () => {
    const { port } = await server();
    const users = client(undici, `http://users.test:${port}`, {
      connect: { lookup: lookupOf(() => THREE.map(v4)) },
    });
    expect(await (await users.fetch(null, '/')).text()).toMatch(`users.test:${port} at 127.0.0.`);
    expect(await (await users.request(null, '/')).body.text()).toMatch(`users.test:${port} at 127.0.0.`);
  });

  it('loses no call to an address where nobody listens, and leaves it out in the end', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const { port } = upstream.server.address() as AddressInfo;
    const users = client(undici, `http://users.test:${port}`, {
      connect: { lookup: lookupOf(() => [v4('127.0.0.2'), v4('127.0.0.1')]) },
      keepAlive: false,
    });
    for (let n = 0; n < 40; n++) expect((await users.fetch(null, '/', { method: 'POST' })).status).toBe(200);
    expect(users.stats()).toMatchObject({ retries: 0, resets: { first: 0, reused: 0 } });
    expect(users.stats().endpoints).toEqual([
      expect.objectContaining({ address: '127.0.0.2', ejected: true, failures: 5 }),
      expect.objectContaining({ address: '127.0.0.1', ejected: false, failures: 0 }),
    ]);
  });

  it('is asked for again after ten seconds, and follows what it then stands for', async () => {
    const { port, hits } = await server();
    let addresses = ['127.0.0.1', '127.0.0.2'];
    const asked: unknown[] = [];
    const lookup = lookupOf(() => addresses.map(v4));
    const users = client(undici, `http://users.test:${port}`, {
      connect: {
        lookup: (...args: any[]) => {
          if (args[1].all === true && addresses.length > 0) asked.push(args[0]);
          lookup(...args);
        },
      },
    });
    const call = async (): Promise<string> => (await users.request(null, '/')).body.text();
    for (let n = 0; n < 20; n++) await call();
    expect([...hits.keys()].sort()).toEqual(['127.0.0.1', '127.0.0.2']);
    addresses = ['127.0.0.3', '127.0.0.4'];
    const now = performance.now() + 10_001;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    await call();
    await new Promise(setImmediate);
    hits.clear();
    for (let n = 0; n < 20; n++) await call();
    clock.mockRestore();
    expect([...hits.keys()].sort()).toEqual(['127.0.0.3', '127.0.0.4']);
    expect(users.stats().endpoints.map(({ address }) => address)).toEqual(['127.0.0.3', '127.0.0.4']);
  });

  it('that cannot be looked up gives the error that connecting gives', async () => {
    const users = client(undici, 'http://users.test', { connect: { lookup: lookupOf(() => []) } });
    const error: any = await users.fetch(null, '/').catch((e: unknown) => e);
    expect(error.cause).toMatchObject({ code: 'ENOTFOUND' });
  });

  it('that takes for ever to look up ends with the call', async () => {
    const asked = gate();
    const users = client(undici, 'http://users.test', { connect: { lookup: () => asked.open() } });
    const controller = new AbortController();
    const call = users.request(null, '/', { signal: controller.signal });
    await asked.promise;
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });

  it('that takes for ever to look up is a timeout after the time for connecting', async () => {
    const users = client(undici, 'http://users.test', {
      connect: { lookup: () => undefined, timeout: 60 },
      retries: 0,
    });
    await expect(users.request(null, '/')).rejects.toMatchObject({ code: 'UND_ERR_CONNECT_TIMEOUT' });
  });

  it('stays at its one address where it has one', async () => {
    const { port } = await listen(http.createServer((_req, res) => res.end('ok')));
    const users = client(undici, `http://users.test:${port}`, {
      connect: { lookup: lookupOf(() => [v4('127.0.0.1')]) },
    });
    expect(await (await users.fetch(null, '/')).text()).toBe('ok');
    expect(users.stats().endpoints).toEqual([expect.not.objectContaining({ address: expect.anything() })]);
  });
});
