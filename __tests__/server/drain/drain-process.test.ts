import http from 'node:http';
import { join } from 'node:path';
import { build, ServerProcess } from '../../fixtures/server-drain/server-process';

const fixtures = join(__dirname, '../../fixtures/server-drain');
const app = build(join(fixtures, 'app.ts'));

interface Got {
  status: number | undefined;
  connection: string | undefined;
  complete: boolean;
}

function get(port: number, path: string, agent: http.Agent): Promise<Got> {
  return new Promise((resolve, reject) => {
    const req = http.get({ host: '127.0.0.1', port, path, agent }, (res) => {
      const done = (): void =>
        resolve({ status: res.statusCode, connection: res.headers.connection, complete: res.complete });
      res
        .resume()
        .on('close', done)
        .on('error', () => undefined);
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
    // 10 ms on a machine that does nothing else, 50 are promised; with server.close() it is the 60 s of the keep-alive time.
    expect(performance.now() - answeredAt).toBeLessThan(500);
    expect(await server.event('drained')).toMatchObject({ finished: 200, aborted: 0, forced: 0, gone: 0 });
  });

  it('answers stuck handlers 503 at timeout, and is gone at force', async () => {
    const APP_DRAIN = JSON.stringify({ timeout: 300, force: 600 });
    const server = await ServerProcess.listening(app, { APP_DRAIN });
    const stuck = [get(server.port, '/stuck', agent), get(server.port, '/stuck-stream', agent)];
    await server.event('held', (count) => count === 2);
    server.signal();
    expect(await Promise.all(stuck)).toMatchObject([
      { status: 503, connection: 'close', complete: true },
      { status: 200, complete: false },
    ]);
    const exit = await server.exited;
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.ms).toBeGreaterThanOrEqual(590);
    expect(await server.event('drained')).toMatchObject({
      byRoute: { 'GET /stuck': { aborted: 1 }, 'GET /stuck-stream': { forced: 1 } },
    });
  });

  it('ends by itself as a worker of a cluster, too', async () => {
    const server = await ServerProcess.listening(build(join(fixtures, 'cluster.ts')));
    const answer = get(server.port, '/work/300', agent);
    await server.event('held');
    server.signal();
    expect(await answer).toMatchObject({ status: 200, connection: 'close' });
    expect(await server.exited).toMatchObject({ code: 0 });
    expect(await server.event('worker')).toEqual([0, null]);
  });
});
