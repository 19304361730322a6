import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { join } from 'node:path';
import express from 'express';
import { drainable, tuneServer, type TuneServerOptions } from 'express-hangup';
import { FRONT_ENDS } from '../../../src/server/tune/load-balancers';
import { PLATFORMS, platformHere } from '../../../src/server/tune/platforms';
import { RawClient } from '../../fixtures/raw-client';
import { listen } from '../../fixtures/serve';

const codes = (server: http.Server, options: TuneServerOptions): string[] =>
  tuneServer(server, options).findings.map(({ code }) => code);

describe('tuneServer()', () => {
  it.each(Object.entries(FRONT_ENDS))('keeps connections longer than %s does', (name, { idleMs }) => {
    const server = http.createServer();
    const { set, findings } = tuneServer(server, { loadBalancer: name as 'alb' });
    expect(server.keepAliveTimeout).toBe(idleMs + 5000);
    expect(server.headersTimeout).toBeGreaterThan(server.keepAliveTimeout);
    expect(server.requestTimeout).toBeGreaterThanOrEqual(server.headersTimeout);
    expect(set).toEqual({
      keepAliveTimeout: server.keepAliveTimeout,
      headersTimeout: server.headersTimeout,
      requestTimeout: server.requestTimeout,
    });
    expect(findings).toEqual([]);
  });

  it('takes the idle time of any other front end in milliseconds', () => {
    const server = http.createServer();
    tuneServer(server, { loadBalancer: 20_000 });
    expect(server.keepAliveTimeout).toBe(25_000);
  });

  it('leaves what is longer already, and what is off', () => {
    const server = http.createServer({ keepAliveTimeout: 200_000, requestTimeout: 0, headersTimeout: 0 });
    const { set } = tuneServer(server, { loadBalancer: 'alb' });
    expect(set).toEqual({ keepAliveTimeout: 200_000, headersTimeout: 0, requestTimeout: 0 });
  });

  it('finds a headersTimeout above requestTimeout, which Node refuses only in the constructor', () => {
    expect(() => http.createServer({ headersTimeout: 400_000, requestTimeout: 300_000 })).toThrow(
      /headersTimeout/,
    );
    const server = http.createServer();
    server.headersTimeout = 400_000;
    const { findings, set } = tuneServer(server, { loadBalancer: 'alb' });
    expect(findings).toMatchObject([{ code: 'HEADERS_TIMEOUT_ABOVE_REQUEST_TIMEOUT', fixed: true }]);
    expect(findings[0]?.message).toMatch(/400000 ms.*300000 ms/);
    expect(set.requestTimeout).toBe(400_000);
  });

  it('finds a keep-alive time that somebody has set too low', () => {
    const server = http.createServer({ keepAliveTimeout: 30_000 });
    expect(tuneServer(server, { loadBalancer: 'nginx' }).findings).toMatchObject([
      { code: 'KEEP_ALIVE_BELOW_FRONT_END', fixed: true },
    ]);
    expect(server.keepAliveTimeout).toBe(65_000);
  });

  it('finds a deadline that the front end cuts first', () => {
    expect(codes(http.createServer(), { loadBalancer: 'gclb', deadline: 30_000 })).toEqual([
      'DEADLINE_ABOVE_FRONT_END',
    ]);
    expect(codes(http.createServer(), { loadBalancer: 'gclb', deadline: 29_000 })).toEqual([]);
  });

  it('finds a server.timeout that destroys before the deadline answers', () => {
    const server = http.createServer();
    server.timeout = 10_000;
    expect(codes(server, { loadBalancer: 'alb', deadline: 25_000 })).toEqual([
      'SERVER_TIMEOUT_BELOW_DEADLINE',
    ]);
  });

  it('finds a drain shorter than the longest deadline, in what drainable() gives', () => {
    const server = http.createServer();
    const drain = drainable(server, { signals: [], timeout: 10_000, force: 12_000 });
    expect(codes(server, { loadBalancer: 'alb', deadline: 25_000, drain })).toEqual([
      'DRAIN_SHORTER_THAN_DEADLINE',
    ]);
    expect(codes(server, { loadBalancer: 'alb', deadline: 9_000, drain })).toEqual([]);
  });

  it('counts the delay of the drain, at the end of which requests still arrive', () => {
    const drain = { delay: 5000, timeout: 25_000, force: 28_000 };
    const { findings } = tuneServer(http.createServer(), { loadBalancer: 'alb', deadline: 25_000, drain });
    expect(findings.map(({ code }) => code)).toEqual(['DRAIN_SHORTER_THAN_DEADLINE']);
    expect(findings[0]?.message).toMatch(/delay \(5000 ms\) has 20000 ms .* deadline of 25000 ms/);
    expect(codes(http.createServer(), { loadBalancer: 'alb', deadline: 20_000, drain })).toEqual([]);
  });

  it('raises headersTimeout above the front end also where the keep-alive time is without limit', () => {
    const server = http.createServer();
    server.keepAliveTimeout = 0;
    const { set } = tuneServer(server, { loadBalancer: 'gclb' });
    expect(set).toEqual({ keepAliveTimeout: 0, headersTimeout: 606_000, requestTimeout: 606_000 });
  });

  it.each([
    [{ loadBalancer: 60 }, 'loadBalancer is 60 ms: that looks like seconds'],
    [
      { loadBalancer: 'alb', terminationGracePeriod: 30 },
      'terminationGracePeriod is 30 ms: that looks like seconds',
    ],
    [
      { loadBalancer: 999, terminationGracePeriod: 999 },
      'loadBalancer is 999 ms and terminationGracePeriod is 999 ms',
    ],
  ] as const)('finds a number that looks like seconds: %j', (options, words) => {
    const { findings } = tuneServer(http.createServer(), options);
    expect(findings).toMatchObject([{ code: 'LOOKS_LIKE_SECONDS', fixed: false }]);
    expect(findings[0]?.message).toContain(words);
  });

  it('finds nothing wrong with one second, and with a platform that does not wait', () => {
    expect(codes(http.createServer(), { loadBalancer: 1000, terminationGracePeriod: 0 })).toEqual([]);
  });

  it('finds a grace period shorter than the drain', () => {
    const drain = { timeout: 25_000, force: 40_000 };
    const options = { loadBalancer: 'alb', drain } as const;
    expect(codes(http.createServer(), { ...options, terminationGracePeriod: 30_000 })).toEqual([
      'GRACE_PERIOD_SHORTER_THAN_DRAIN',
    ]);
    expect(codes(http.createServer(), { ...options, terminationGracePeriod: 60_000 })).toEqual([]);
  });

  it.each(Object.entries(PLATFORMS))('knows when %s kills', (name, { name: shown, ms, setting }) => {
    const options = { loadBalancer: 'alb', terminationGracePeriod: name as 'docker' } as const;
    const drain = { timeout: 0, force: ms };
    const { findings } = tuneServer(http.createServer(), { ...options, drain });
    expect(findings).toMatchObject([{ code: 'GRACE_PERIOD_SHORTER_THAN_DRAIN', fixed: false }]);
    expect(findings[0]?.message).toContain(`${shown} kills the process ${ms} ms after its signal`);
    expect(findings[0]?.message).toContain(setting);
    expect(codes(http.createServer(), { ...options, drain: { timeout: 0, force: ms - 1 } })).toEqual([]);
  });

  it.each([
    [{ pm_id: '0', KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 'pm2'],
    [{ K_SERVICE: 'app', KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 'cloud-run'],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 'kubernetes'],
    [{ ECS_CONTAINER_METADATA_URI_V4: 'http://169.254.170.2' }, 'ecs'],
    [{ FLY_APP_NAME: 'app' }, 'fly'],
    [{ DYNO: 'web.1' }, 'heroku'],
    [{}, undefined],
  ])('sees by %j that it runs on %s', (env, platform) => {
    expect(platformHere(env, 2)).toBe(platform);
  });

  it('checks the drain against the platform that it runs on, where none is named', () => {
    process.env['DYNO'] = 'web.1';
    const drain = { timeout: 30_000, force: 33_000 };
    const found = codes(http.createServer(), { loadBalancer: 'heroku', drain });
    delete process.env['DYNO'];
    expect(found).toEqual(['GRACE_PERIOD_SHORTER_THAN_DRAIN']);
  });

  it.each([
    [express(), { loadBalancer: 'alb' }, TypeError, /what app\.listen\(\) returns/],
    [http2.createServer(), { loadBalancer: 'alb' }, TypeError, /node:http or node:https/],
    [undefined, { loadBalancer: 'alb' }, TypeError, /undefined/],
    [http.createServer(), {}, TypeError, /"loadBalancer" is undefined.*'alb', 'gclb'/],
    [http.createServer(), { loadBalancer: 'elb' }, TypeError, /'alb', 'gclb'/],
    [http.createServer(), { loadBalancer: 'constructor' }, TypeError, /'alb', 'gclb'/],
    [http.createServer(), { loadBalancer: -1 }, RangeError, /-1/],
    [http.createServer(), { loadBalancer: 'alb', deadline: '5' }, TypeError, /"deadline"/],
    [http.createServer(), { loadBalancer: 'alb', drain: 5 }, TypeError, /"drain"/],
    [http.createServer(), { loadBalancer: 'alb', drain: { timeout: 5 } }, TypeError, /"force"/],
    [
      http.createServer(),
      { loadBalancer: 'alb', terminationGracePeriod: NaN },
      RangeError,
      /"terminationGracePeriod"/,
    ],
    [
      http.createServer(),
      { loadBalancer: 'alb', terminationGracePeriod: 'k8s' },
      TypeError,
      /'docker', 'kubernetes'/,
    ],
    [
      http.createServer(),
      { loadBalancer: 'alb', drain: { delay: '5', timeout: 5, force: 5 } },
      TypeError,
      /"delay"/,
    ],
    [http.createServer(), { loadbalancer: 'alb' }, TypeError, /Did you mean "loadBalancer"/],
  ])('refuses wrong arguments, row %#', (server, options, type, message) => {
    const act = (): unknown => tuneServer(server as http.Server, options as TuneServerOptions);
    expect(act).toThrow(type);
    expect(act).toThrow(message);
  });
});

describe("Node's own timeouts", () => {
  it('requestTimeout answers a request that does not arrive in time with 408, and spares a slow handler', async () => {
    const server = http.createServer({
      requestTimeout: 150,
      headersTimeout: 100,
      connectionsCheckingInterval: 20,
    });
    server.on('request', (req, res) => {
      req.resume();
      setTimeout(() => res.end('slow but whole'), 400);
    });
    const { port } = await listen(server);
    const slowHandler = (await RawClient.connect(port)).request('/');
    const slowBody = await RawClient.connect(port);
    slowBody.send('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf');
    expect((await slowBody.response()).status).toBe(408);
    expect((await slowHandler.response()).body).toBe('slow but whole');
    slowHandler.leave('fin');
  });

  it('headersTimeout answers half a header with 408, and does not count the idle time of a kept connection', async () => {
    const server = http.createServer({
      headersTimeout: 150,
      requestTimeout: 300,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 20,
    });
    server.on('request', (_req, res) => res.end('ok'));
    const { port } = await listen(server);
    const kept = (await RawClient.connect(port)).request('/');
    expect((await kept.response()).status).toBe(200);
    const half = await RawClient.connect(port);
    half.send('GET / HTTP/1.1\r\nHos');
    expect((await half.response()).status).toBe(408);
    expect((await kept.request('/').response()).status).toBe(200);
    kept.leave('fin');
  });
});

describe('docs/timeouts.md', () => {
  const text = readFileSync(join(__dirname, '../../../docs/timeouts.md'), 'utf8');

  it('has the presets that the code has', () => {
    const rows = [...text.matchAll(/^\| `'(\w+)'` \| ([\d ]+) s \| ([\d ]+) s \|/gm)];
    const documented = rows.map(([, name, idle, response]) => [
      name,
      Number(idle!.replace(' ', '')),
      Number(response),
    ]);
    expect(documented).toEqual(
      Object.entries(FRONT_ENDS).map(([name, { idleMs, responseMs }]) => [
        name,
        idleMs / 1000,
        responseMs / 1000,
      ]),
    );
  });

  it('has the platforms that the code has', () => {
    const rows = [...text.matchAll(/^\| `'([\w-]+)'` \| ([\d.]+) s \| [^|]+ \|$/gm)];
    expect(rows.map(([, name, time]) => [name, Number(time) * 1000])).toEqual(
      Object.entries(PLATFORMS).map(([name, { ms }]) => [name, ms]),
    );
  });

  it('has a row for every finding', () => {
    const source = readFileSync(join(__dirname, '../../../src/server/tune/timeout-findings.ts'), 'utf8');
    const known = [...source.matchAll(/^ {4}\| '([A-Z_]+)'/gm)].map(([, code]) => code);
    expect([...text.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code)).toEqual(known);
  });
});
