/* eslint jest/no-standalone-expect: ['error', { additionalTestBlockFunctions: ['itHere'] }] */
import { join } from 'node:path';
import { build } from '../../fixtures/server-drain/server-process';
import { isInstalled, speaksHttp2Upstream } from '../../fixtures/server-proxies/proxy-process';
import { rollingRestart } from '../../fixtures/server-proxies/rolling-restart';

const app = build(join(__dirname, '../../fixtures/server-drain/app.ts'));
const restarts = Number(process.env['ROLLING_RESTARTS'] ?? 2);
/** So many requests at least, of HTTP/1 by default those that come meanwhile. */
const requests = Number(process.env['ROLLING_REQUESTS'] ?? 0);

describe.each(['nginx', 'haproxy'] as const)('a rolling restart behind a real %s', (proxy) => {
  const isHere = isInstalled(proxy);
  const title = (text: string): string => (isHere ? text : `${text} (SKIPPED: ${proxy} is not installed)`);
  const itHere = isHere ? it : it.skip;
  // nginx learns that an instance is gone when it refuses a connection; HAProxy asks it, every 50 ms here.
  const delay = proxy === 'nginx' ? 0 : 300;

  itHere(
    title('loses no request of steady keep-alive clients'),
    async () => {
      const env = { APP_DRAIN: JSON.stringify({ delay }) };
      const plan = { restarts, requests: Math.max(120, requests / restarts), grace: 30_000 };
      const { load, exits, logged } = await rollingRestart({ proxy, app, env, ...plan });
      expect(exits.map(({ code, signal }) => [code, signal])).toEqual(exits.map(() => [0, null]));
      expect(load.failed).toEqual({});
      expect(load.ok).toBeGreaterThan(requests);
      expect(logged).toEqual({ ok: load.ok, others: [] });
    },
    10_000 + restarts * 5000 + requests * 10,
  );

  itHere(
    title('loses requests with server.close() alone'),
    async () => {
      const env = { APP_STOP: 'server.close()' };
      // What is in flight takes ten times as long as the platform waits.
      const plan = { restarts: 2, slowMs: 3000, grace: 300 };
      const { load, exits } = await rollingRestart({ proxy, app, env, ...plan });
      // The connections that are in use stay open, and the process with them.
      expect(exits.map(({ signal }) => signal)).toEqual(['SIGKILL', 'SIGKILL']);
      expect(Object.keys(load.failed)).not.toEqual([]);
    },
    20_000,
  );
});

describe.each(['nginx', 'haproxy'] as const)(
  'a rolling restart of HTTP/2 servers behind a real %s',
  (proxy) => {
    const missing = !isInstalled(proxy)
      ? `${proxy} is not installed`
      : proxy === 'nginx' && !speaksHttp2Upstream() && 'this nginx speaks no HTTP/2 to the servers behind it';
    const itHere = missing === false ? it : it.skip;
    const title = (text: string): string => (missing === false ? text : `${text} (SKIPPED: ${missing})`);
    const http2App = build(join(__dirname, '../../fixtures/server-drain/http2-app.ts'));

    itHere(
      title('loses none of 50,000 requests in ten restarts'),
      async () => {
        const env = { APP_DRAIN: JSON.stringify({ delay: proxy === 'nginx' ? 0 : 2000 }) };
        const wanted = requests || 50_000;
        const plan = { restarts: 10, requests: wanted / 10, isHttp2: true, grace: 30_000 };
        const { load, exits, logged } = await rollingRestart({ proxy, app: http2App, env, ...plan });
        expect(exits.map(({ code, signal }) => [code, signal])).toEqual(exits.map(() => [0, null]));
        expect(load.failed).toEqual({});
        expect(load.ok).toBeGreaterThan(wanted);
        expect(logged).toEqual({ ok: load.ok, others: [] });
      },
      400_000,
    );
  },
);
