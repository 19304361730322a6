import { diagnose } from 'express-hangup/diagnose';
import { hangupProxy } from 'express-hangup/proxy';
import { clientThatHangsUp } from 'express-hangup/testing';
import { once } from 'node:events';
import http from 'node:http';
import { collect } from '../fixtures/events';
import { refusingPort } from '../fixtures/faulty-server';
import { RawClient } from '../fixtures/raw-client';
import { proxyApp, proxyVersions, startUpstream } from './fixture';
import { rawUpstream } from './raw-upstream';

describe.each(proxyVersions)('an early answer to an upload, %s', (_name, hpm) => {
  it('leaves no upstream connection behind when the client then leaves', async () => {
    const upstream = await startUpstream({ fault: { fault: 'status', status: 413, early: true } });
    const { port } = await proxyApp(hpm, upstream.url);

    for (let i = 0; i < 5; i++) {
      const client = await RawClient.connect(port);
      const attempt = upstream.nextAttempt();
      client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nxxxx');
      await client.received('413');
      client.leave('rst');
      expect((await upstream.untilClosed(await attempt)).by).toBe('client');
    }
  });

  it('leaves none behind where the client stays, and its upload does not go on', async () => {
    const upstream = await startUpstream({ fault: { fault: 'status', status: 413, early: true } });
    const { port } = await proxyApp(hpm, upstream.url);
    const client = await RawClient.connect(port);
    const attempt = upstream.nextAttempt();

    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nxxxx');
    await client.response();
    await upstream.untilClosed(await attempt);
    upstream.use('ok');
    // The rest of the upload, and another request on the same connection.
    client.send('xxxx').request('/');

    expect((await client.response()).status).toBe(200);
    client.leave('fin');
  });
});

describe.each(proxyVersions)('a WebSocket request where nobody serves upgrades, %s', (_name, hpm) => {
  it('is a 502 that names the cause', async () => {
    const target = await rawUpstream(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    const { port, errors } = await proxyApp(hpm, target);
    const client = await RawClient.connect(port);

    client.request('/', { headers: 'Connection: Upgrade\r\nUpgrade: websocket\r\n' });

    expect((await client.response()).status).toBe(502);
    expect(errors).toEqual([
      expect.objectContaining({ message: expect.stringContaining("server.on('upgrade'") as string }),
    ]);
    client.leave('fin');
  });
});

describe.each(proxyVersions)('early hints of the upstream, %s', (_name, hpm) => {
  const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nSet-Cookie: a=b\r\n\r\n';
  const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

  it('reach the client before the answer', async () => {
    const { port } = await proxyApp(hpm, await rawUpstream(HINTS + ANSWER));
    const client = await RawClient.connect(port);

    client.request('/');

    const hints = await client.response();
    expect([hints.status, hints.headers]).toEqual([103, { link: '</a.css>; rel=preload' }]);
    client.leave('fin');
  });

  it('that make no sense are left out', async () => {
    const { url } = await proxyApp(hpm, await rawUpstream(HINTS.replace('</a.css>', 'x') + ANSWER));

    expect((await clientThatHangsUp(url)).response).toMatchObject({ status: 200, text: 'ok' });
  });
});

describe.each(proxyVersions)('a mirror (forward) that is dead, %s', (_name, hpm) => {
  it('is not the client’s business either where the request waits for a connection', async () => {
    const upstream = await startUpstream({ fault: { fault: 'slow', ms: 60 } });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const forward = `http://127.0.0.1:${await refusingPort()}`;
    const { url, errors } = await proxyApp(hpm, upstream.url, { proxy: { agent, forward } });

    const accounts = await Promise.all(Array.from({ length: 4 }, () => clientThatHangsUp(url)));

    expect(accounts.map(({ response }) => response?.status)).toEqual([200, 200, 200, 200]);
    expect(errors).toEqual([]);
    agent.destroy();
  });
});

describe.each(proxyVersions)('the option maxHeaderSize, %s', (_name, hpm) => {
  const answer = `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}\r\nContent-Length: 2\r\n\r\nok`;

  it.each([
    [undefined, 502],
    [65_536, 200],
  ])('%s answers a head of 40 kB by %i', async (maxHeaderSize, status) => {
    const { url } = await proxyApp(hpm, await rawUpstream(answer), { proxy: { maxHeaderSize } });
    const request = http.get(url, { maxHeaderSize: 65_536 });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(status);
  });
});

describe('the option maxHeaderSize', () => {
  it.each([['65536'], [0], [1.5], [-1]])('refuses %p when the middleware is made', (maxHeaderSize) => {
    expect(() => hangupProxy({ target: 'http://127.0.0.1', maxHeaderSize })).toThrow(
      /option "maxHeaderSize" is .*, but must be a whole number of bytes/,
    );
  });

  it('says that it needs the agent that hangupProxy() brings', () => {
    expect(() => hangupProxy({ target: 'http://127.0.0.1', maxHeaderSize: 1000, agent: false })).toThrow(
      'works with the agent that hangupProxy() brings',
    );
  });
});

describe.each(proxyVersions)('the origin of an https upstream on a port of its own, %s', (_name, hpm) => {
  it('is reported with its port, also by diagnose()', async () => {
    const upstream = await startUpstream({ tls: 'trusted', fault: 'reset' });
    const diagnosis = diagnose();
    const { url } = await proxyApp(hpm, upstream.url, { proxy: { secure: false } });
    const faults = collect('fault');

    await clientThatHangsUp(url);

    expect(await faults.next()).toMatchObject({ upstream: { origin: upstream.origin } });
    expect(JSON.stringify(diagnosis.report())).toContain(upstream.origin);
    expect(JSON.stringify(diagnosis.report())).not.toContain('"https://127.0.0.1"');
    diagnosis.stop();
  });
});
