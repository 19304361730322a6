import { join } from 'node:path';
import http from 'node:http';
import { build, ServerProcess } from '../fixtures/server-drain/server-process';

const fixtures = join(__dirname, '../fixtures/server-drain');
const app = build(join(fixtures, 'app.ts'));

interface Got {
  status: number;
  connection: string | undefined;
}

function get(port: number, path: string, agent: http.Agent): Promise<Got> {
  return new Promise((resolve, reject) => {
    const req = http.get({ host: '127.0.0.1', port, path, agent }, (res) => {
      res.resume().on('end', () => resolve({ status: res.statusCode!, connection: res.headers.connection }));
    });
    req.on('error', reject);
  });
}

describe('a process that gets SIGTERM', () => {
  const agent = new http.Agent({ keepAlive: true });
  afterEach(() => agent.destroy());

  it('answers all of 200 requests in flight, and ends with code 0 right after the last', async () => {
    const server = await ServerProcess.listening(app);
    // The connections are live ones: each has carried a request before.
    await Promise.all(Array.from({ length: 200 }, () => get(server.port, '/echo', agent)));
    const answers = Array.from({ length: 200 }, () => get(server.port, '/work/1000', agent));
    await server.event('held', (count) => count === 200);
    server.signal();
    const got = await Promise.all(answers);
    const answeredAt = performance.now();
    const exit = await server.exited;
    expect(got.every(({ status, connection }) => status === 200 && connection === 'close')).toBe(true);
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(performance.now() - answeredAt).toBeLessThan(1000);
    expect(await server.event('drained')).toMatchObject({ finished: 200, aborted: 0, forced: 0, gone: 0 });
  });
});
