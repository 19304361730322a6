/* eslint jest/no-standalone-expect: ['error', { additionalTestBlockFunctions: ['itHere'] }] */
import http from 'node:http';
import { join } from 'node:path';
import { build, freePort, ServerProcess } from '../../fixtures/server-drain/server-process';
import { isInstalled, Proxy } from '../../fixtures/server-proxies/proxy-process';

const app = build(join(__dirname, '../../fixtures/server-proxies/keep-alive-race.ts'));
const isHere = isInstalled('nginx');
const itHere = isHere ? it : it.skip;
const title = (text: string): string => (isHere ? text : `${text} (SKIPPED: nginx is not installed)`);

const CLIENTS = 8;
/** The server closes idle connections after 1001 ms; scaled down from Node's 6000. */
const IDLE_MS = 1010;

/** Sends POSTs, and once more when the server is about to close their connections. Gives the statuses. */
async function statuses(env: NodeJS.ProcessEnv): Promise<(number | undefined)[]> {
  const backend = await ServerProcess.listening(app, env);
  const front = await freePort();
  await Proxy.start('nginx', front, { servers: `server 127.0.0.1:${backend.port} max_fails=0;` });
  const agent = new http.Agent({ keepAlive: true });
  const seen: (number | undefined)[] = [];
  for (let round = 0; round < 3; round += 1) {
    seen.push(...(await Promise.all(Array.from({ length: CLIENTS }, () => post(front, agent)))));
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  }
  agent.destroy();
  return seen;
}

function post(port: number, agent: http.Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const req = http.request({ host: '127.0.0.1', port, agent, method: 'POST' }, (res) => {
      res.resume().on('end', () => resolve(res.statusCode));
    });
    req.on('error', reject);
    req.end('x');
  });
}

describe('the keep-alive race behind a real nginx', () => {
  itHere(title('fails requests with a keep-alive time below that of nginx'), async () => {
    expect(await statuses({})).toContain(502);
  });

  itHere(title('is over after tuneServer()'), async () => {
    expect(new Set(await statuses({ APP_TUNE: 'nginx' }))).toEqual(new Set([200]));
  });
});
