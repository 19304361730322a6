/* eslint jest/no-standalone-expect: ['error', { additionalTestBlockFunctions: ['itHere'] }] */
import { join } from 'node:path';
import { until } from '../../fixtures/server-drain/served';
import { build, freePort, ServerProcess } from '../../fixtures/server-drain/server-process';
import { isInstalled, Proxy } from '../../fixtures/server-proxies/proxy-process';
import { HTTP2_CHECK } from '../../fixtures/server-proxies/rolling-restart';

const fixtures = join(__dirname, '../../fixtures/server-drain');
const app = build(join(fixtures, 'app.ts'));
const http2App = build(join(fixtures, 'http2-app.ts'));
const isHere = isInstalled('haproxy');
const itHere = isHere ? it : it.skip;
const title = (text: string): string => (isHere ? text : `${text} (SKIPPED: haproxy is not installed)`);

/** The interval of the checks in the configuration. */
const INTERVAL_MS = 50;

/** Two instances behind HAProxy: one drains, and the other stands still. */
async function standstill(
  values: Record<string, string>,
  { file = app, server = '' } = {},
): Promise<{
  front: string;
  stopped: ServerProcess;
  isDown: (name: string) => boolean;
}> {
  const env = { APP_DRAIN: '{"delay":20000}' };
  const draining = await ServerProcess.listening(file, env);
  const stopped = await ServerProcess.listening(file, env);
  const port = await freePort();
  const servers = [draining, stopped].map(
    (own, index) => `server instance-${index} 127.0.0.1:${own.port} ${server}`,
  );
  const proxy = await Proxy.start('haproxy', port, { servers: servers.join('\n  '), ...values });
  const isDown = (name: string): boolean =>
    proxy.log.some((line) => line.startsWith(`Server app/${name} is DOWN`));
  draining.signal('SIGTERM');
  await until(() => isDown('instance-0'));
  stopped.signal('SIGSTOP');
  return { front: `http://127.0.0.1:${port}/echo`, stopped, isDown };
}

/** The first answer that does not wait for the one that stands still. */
async function firstAnswer(front: string): Promise<number> {
  for (;;) {
    const signal = AbortSignal.timeout(500);
    const status = await fetch(front, { signal }).then(
      (response) => response.status,
      () => undefined,
    );
    if (status !== undefined) return status;
  }
}

describe('while one instance behind a real HAProxy drains, the other', () => {
  itHere(title('may be late with a check, where "timeout check" gives it the time'), async () => {
    const { front, stopped, isDown } = await standstill({});
    const answer = fetch(front);
    await new Promise((resolve) => setTimeout(resolve, 10 * INTERVAL_MS));
    expect(isDown('instance-1')).toBe(false);
    stopped.signal('SIGCONT');
    expect((await answer).status).toBe(200);
  });

  itHere(title('is taken out by one late check without it, and every request is answered 503'), async () => {
    const { front, stopped } = await standstill({ checkTimeout: '' });
    expect(await firstAnswer(front)).toBe(503);
    stopped.signal('SIGCONT');
  });

  itHere(title('is taken out by one late HTTP/2 check, whatever "timeout check" says'), async () => {
    const http2 = { file: http2App, server: 'proto h2 check-proto h2' };
    const { front, stopped } = await standstill({ check: HTTP2_CHECK }, http2);
    expect(await firstAnswer(front)).toBe(503);
    stopped.signal('SIGCONT');
  });

  itHere(title('may be late with one HTTP/2 check, where two have to fail'), async () => {
    const http2 = { file: http2App, server: 'proto h2 check-proto h2 inter 2s fall 2' };
    const { front, stopped, isDown } = await standstill({ check: HTTP2_CHECK }, http2);
    const answer = fetch(front);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(isDown('instance-1')).toBe(false);
    stopped.signal('SIGCONT');
    expect((await answer).status).toBe(200);
  });
});
