import { once } from 'node:events';
import http from 'node:http';
import { channel } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { collect } from '../fixtures/events';
import { listen } from '../fixtures/serve';
import { proxyApp, proxyVersions, startUpstream } from './fixture';

const IDLE_MS = 15;
const LANES = 25;

async function get(port: number, agent: http.Agent): Promise<number> {
  const request = http.get({ port, host: '127.0.0.1', agent });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.statusCode ?? 0;
}

describe.each(proxyVersions)('the connections to the upstream, %s', (_name, hpm) => {
  it('lose none of 1,000 GETs spaced around the upstream’s idle limit', async () => {
    const upstream = await startUpstream({ fault: { fault: 'idle-close', ms: IDLE_MS } });
    const { port } = await proxyApp(hpm, upstream.url);
    const agent = new http.Agent({ keepAlive: true });
    const retries = collect('retry');
    const statuses: Record<number, number> = {};

    await Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        for (let i = 0; i < 1000 / LANES; i++) {
          const status = await get(port, agent);
          statuses[status] = (statuses[status] ?? 0) + 1;
          await sleep(IDLE_MS - 3 + ((lane + i) % 5));
        }
      }),
    );
    agent.destroy();

    console.log(retries.all.length, upstream.connections.length);
    expect(statuses).toEqual({ 200: 1000 });
  });
});
