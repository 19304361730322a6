/* eslint jest/no-standalone-expect: ['error', { additionalTestBlockFunctions: ['itHere'] }] */
// What the findings' sentences say, shown with what they speak of. (KEEP_ALIVE_BELOW_FRONT_END: keep-alive-race.slow.test.ts;
// HEADERS_TIMEOUT_ABOVE_REQUEST_TIMEOUT: node-timeouts.test.ts.)
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import http from 'node:http';
import { join } from 'node:path';
import express, { type Express } from 'express';
import { gatewayErrorHandler, hangup, tuneServer } from 'express-hangup';
import { RawClient } from '../../fixtures/raw-client';
import { gate, listen, serve } from '../../fixtures/serve';
import { served } from '../../fixtures/server-drain/served';
import { build, freePort, ServerProcess } from '../../fixtures/server-drain/server-process';
import { isInstalled, Proxy, type ProxyName } from '../../fixtures/server-proxies/proxy-process';

const app = build(join(__dirname, '../../fixtures/server-drain/app.ts'));

/** An app that answers only health checks. */
function silentApp(deadline: number): Express {
  const silent = express();
  silent.use(hangup({ deadline, grace: 0 }));
  silent.get('/', () => undefined);
  silent.get('/ready', (_req, res) => void res.send('ready'));
  silent.use(gatewayErrorHandler());
  return silent;
}

describe.each(['nginx', 'haproxy'] as const)('DEADLINE_ABOVE_FRONT_END, with a real %s', (name) => {
  const isHere = isInstalled(name);
  const itHere = isHere ? it : it.skip;
  const title = (text: string): string => (isHere ? text : `${text} (SKIPPED: ${name} is not installed)`);

  /** Asks through a front end that waits for one second. */
  async function ask(deadline: number): Promise<{ found: string[]; status: number; isOurs: boolean }> {
    const { server, port } = await serve(silentApp(deadline));
    const front = await freePort();
    await Proxy.start(name, front, { servers: serverLine(name, port), answerTime: 1 });
    const response = await fetch(`http://127.0.0.1:${front}/`);
    const isOurs = (await response.text()).includes('DEADLINE_EXCEEDED');
    // The front end's 60 s are scaled down to one, and the deadline with it.
    const { findings } = tuneServer(server, { loadBalancer: 'nginx', deadline: deadline * 60 });
    return { found: findings.map(({ code }) => code), status: response.status, isOurs };
  }

  itHere(title('the front end cuts first, and the 504 of the app is never seen'), async () => {
    expect(await ask(5000)).toEqual({ found: ['DEADLINE_ABOVE_FRONT_END'], status: 504, isOurs: false });
  });

  itHere(title('below it the 504 is that of the app'), async () => {
    expect(await ask(100)).toEqual({ found: [], status: 504, isOurs: true });
  });
});

function serverLine(name: ProxyName, port: number): string {
  return name === 'nginx' ? `server 127.0.0.1:${port} max_fails=0;` : `server one 127.0.0.1:${port}`;
}

it('SERVER_TIMEOUT_BELOW_DEADLINE: the connection is destroyed without an answer', async () => {
  const { server, port } = await serve(silentApp(60_000));
  server.timeout = 100;
  const options = { loadBalancer: 'alb', deadline: 60_000 - 1 } as const;
  expect(tuneServer(server, options).findings).toMatchObject([{ code: 'SERVER_TIMEOUT_BELOW_DEADLINE' }]);
  const client = await RawClient.connect(port);
  await client.request('/').end();
  expect((await client.response().catch(() => ({ status: 0 }))).status).toBe(0);
});

it('DRAIN_SHORTER_THAN_DEADLINE: a request of the end of the delay gets 503 though it had time left', async () => {
  const phases = { delay: 200, timeout: 1200, force: 60_000 };
  const begun = gate<http.IncomingMessage>();
  const slow = express();
  slow.use(hangup({ deadline: 30_000, grace: 0 }));
  slow.get('/', (req) => begun.open(req));
  slow.use(gatewayErrorHandler());
  const { server, handle, connect } = await served(slow, phases);
  const options = { loadBalancer: 'alb', deadline: 30_000, drain: phases } as const;
  expect(tuneServer(server, options).findings).toMatchObject([{ code: 'DRAIN_SHORTER_THAN_DEADLINE' }]);
  const client = await connect();
  onClosing(() => client.request('/'));
  const draining = handle.drain();
  const { deadline } = (await begun.promise) as unknown as { deadline: { remaining(): number } };
  expect((await client.response()).status).toBe(503);
  expect(deadline.remaining()).toBeGreaterThan(0);
  await draining;
});

/** Calls `listener` when a drain's delay is over. */
function onClosing(listener: () => void): void {
  const channel = 'express-hangup:drain';
  const onPhase = (event: unknown): void => {
    if ((event as { phase: string }).phase !== 'closing') return;
    unsubscribe(channel, onPhase);
    listener();
  };
  subscribe(channel, onPhase);
}

it('GRACE_PERIOD_SHORTER_THAN_DRAIN: the process is killed in the middle, and its connections are reset', async () => {
  const server = await ServerProcess.listening(app, { APP_DRAIN: '{"timeout":5000,"force":8000}' });
  const drain = { timeout: 5000, force: 8000 };
  const { findings } = tuneServer(http.createServer(), {
    loadBalancer: 'alb',
    drain,
    terminationGracePeriod: 'fly',
  });
  expect(findings).toMatchObject([{ code: 'GRACE_PERIOD_SHORTER_THAN_DRAIN' }]);
  const client = await RawClient.connect(server.port);
  client.request('/stuck');
  await server.event('held');
  server.signal();
  await server.event('signals');
  // What the platform does when its time is up.
  server.signal('SIGKILL');
  expect(await client.end()).not.toBe('');
  expect(await server.exited).toMatchObject({ code: null, signal: 'SIGKILL' });
  expect(server.events.map(([event]) => event)).not.toContain('drained');
});

it('LOOKS_LIKE_SECONDS: a front end that keeps connections for 60 s finds them closed after 5', async () => {
  const { server, port } = await listen(http.createServer((_req, res) => res.end()));
  const { findings, set } = tuneServer(server, { loadBalancer: 60 });
  expect(findings).toMatchObject([{ code: 'LOOKS_LIKE_SECONDS' }]);
  expect(set.keepAliveTimeout).toBeLessThan(60_000);
  const client = await RawClient.connect(port);
  await client.request('/').response();
  const idleSince = performance.now();
  await client.end();
  expect(performance.now() - idleSince).toBeLessThan(10_000);
});
