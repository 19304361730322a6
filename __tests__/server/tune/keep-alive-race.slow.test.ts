/* eslint jest/no-standalone-expect: ['error', { additionalTestBlockFunctions: ['itHere'] }] */
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { until } from '../../fixtures/server-drain/served';
import { build, directory, freePort, ServerProcess } from '../../fixtures/server-drain/server-process';
import { isInstalled, Proxy, type ProxyName } from '../../fixtures/server-proxies/proxy-process';

const app = build(join(__dirname, '../../fixtures/server-proxies/keep-alive-race.ts'));

const CLIENTS = 8;
/** The server wants to close idle connections after 1001 ms; scaled down from Node's 6000. */
const IDLE_MS = 1100;

describe.each(['nginx', 'haproxy'] as const)('the keep-alive race behind a real %s', (name) => {
  const isHere = isInstalled(name);
  const itHere = isHere ? it : it.skip;
  const title = (text: string): string => (isHere ? text : `${text} (SKIPPED: ${name} is not installed)`);

  itHere(title('fails requests with a keep-alive time below that of the front end'), async () => {
    expect(await statuses(name, '')).toEqual(Array(CLIENTS).fill(502));
  });

  itHere(title('is over after tuneServer()'), async () => {
    expect(await statuses(name, name)).toEqual(Array(CLIENTS).fill(200));
  });
});

/** Sends POSTs, and once more when the server is about to close their connections. Gives the statuses of the latter. */
async function statuses(name: ProxyName, tunedFor: ProxyName | ''): Promise<(number | undefined)[]> {
  const go = join(directory, `go-${name}-${tunedFor}`);
  const backend = await ServerProcess.listening(app, { APP_TUNE: tunedFor, APP_GO: go });
  const front = await freePort();
  const address = `127.0.0.1:${backend.port}`;
  await Proxy.start(name, front, {
    // A check that waits would be taken for a client.
    servers: name === 'nginx' ? `server ${address} max_fails=0;` : `server one ${address} no-check`,
  });
  const agent = new http.Agent({ keepAlive: true });
  const postAll = (): Promise<(number | undefined)[]> =>
    Promise.all(Array.from({ length: CLIENTS }, () => post(front, agent)));
  await postAll();
  backend.signal('SIGUSR2');
  await backend.event('busy');
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const seen = postAll();
  await until(() => waitingAt(backend.port) >= CLIENTS);
  writeFileSync(go, '');
  const result = await seen;
  agent.destroy();
  return result;
}

/** How many connections of a port hold bytes that their process has not read yet: proc_net(5), `rx_queue`. */
function waitingAt(port: number): number {
  const own = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const ESTABLISHED = '01';
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  return lines.filter((line) => {
    const [, local = '', , state, queues = ''] = line.trim().split(/\s+/);
    return local.endsWith(own) && state === ESTABLISHED && !queues.endsWith(':00000000');
  }).length;
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
