/* eslint jest/no-standalone-expect: ['error', { additionalTestBlockFunctions: ['itAsFirst'] }] */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, directory, ServerProcess } from '../../fixtures/server-drain/server-process';

const fixtures = join(__dirname, '../../fixtures/server-drain');
const app = build(join(fixtures, 'app.ts'));

/** Sends a request that takes its time; gives its status, or how it failed. */
async function status(port: number, path: string): Promise<number | string> {
  return fetch(`http://127.0.0.1:${port}${path}`).then(
    async (response) => (await response.text(), response.status),
    () => 'failed',
  );
}

describe('a signal', () => {
  it.each([
    ['that arrives twice is one', 'SIGTERM'],
    ['that follows another one is the same', 'SIGINT'],
  ])('%s', async (_, again) => {
    const env = { APP_AGAIN: again, APP_DRAIN: '{"signals":["SIGTERM","SIGINT"]}' };
    const server = await ServerProcess.listening(app, env);
    const answer = status(server.port, '/work/500');
    await server.event('held');
    server.signal();
    await server.event('signals', (count) => count === 2);
    expect(await answer).toBe(200);
    expect(await server.exited).toMatchObject({ code: 0, signal: null });
  });

  it('that arrives once more when the drain is over does not cut what closes after it', async () => {
    const server = await ServerProcess.listening(app, { APP_LINGER: '400' });
    server.signal();
    await server.event('drained');
    server.signal();
    expect(await server.exited).toMatchObject({ code: 0, signal: null });
    expect(await server.event('lingered')).toBe(true);
  });

  it('that comes more than a second later forces, and ends the process whatever holds it', async () => {
    const server = await ServerProcess.listening(app);
    const answer = status(server.port, '/stuck-with-timer');
    await server.event('held');
    server.signal();
    await server.event('signals');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    server.signal();
    expect(await answer).toBe('failed');
    expect(await server.exited).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(await server.event('drained')).toMatchObject({ forced: 1 });
  });

  it('that is the first after drain() is a drain', async () => {
    const server = await ServerProcess.listening(app);
    const answer = status(server.port, '/work/500');
    await server.event('held');
    expect(await status(server.port, '/drain')).toBe(200);
    server.signal();
    expect(await answer).toBe(200);
    expect(await server.exited).toMatchObject({ code: 0, signal: null });
    expect(await server.event('drained')).toMatchObject({ forced: 0 });
  });

  it('that comes before the server listens ends the process as always', async () => {
    const server = ServerProcess.start(app, { APP_LISTEN: 'later' });
    await server.event('starting');
    server.signal();
    expect(await server.exited).toMatchObject({ code: null, signal: 'SIGTERM' });
  });
});

describe('a signal to a whole process group', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('is one to a cluster, too: %s', async (signal) => {
    const file = build(join(fixtures, 'cluster.ts'));
    const options = { asGroup: true, env: { APP_DRAIN: '{"signals":["SIGTERM","SIGINT"]}' } };
    const server = ServerProcess.run([process.execPath, file], options);
    const answer = status(await server.event('listening'), '/work/500');
    await server.event('held');
    // Two deliveries, unless the second comes while the first is still pending: then the kernel makes one of them.
    server.signalGroup(signal);
    expect(await answer).toBe(200);
    expect(await server.exited).toMatchObject({ code: 0 });
    expect(await server.event('worker')).toEqual([0, null]);
  });

  it('is one below npm start', async () => {
    const cwd = join(directory, 'package');
    mkdirSync(cwd, { recursive: true });
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ scripts: { start: `node ${app}` } }));
    const env = { APP_DRAIN: '{"signals":["SIGTERM","SIGINT"]}', npm_config_update_notifier: 'false' };
    const server = ServerProcess.run(['npm', 'start'], { cwd, env, asGroup: true });
    const answer = status(await server.event('listening'), '/work/500');
    await server.event('held');
    server.signalGroup('SIGINT');
    expect(await answer).toBe(200);
    await server.exited;
    expect(await server.event('drained')).toMatchObject({ finished: 1, forced: 0 });
  });
});

describe('the first process of a container', () => {
  const unshare = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const isAllowed = spawnSync(unshare[0]!, [...unshare.slice(1), 'true']).status === 0;
  const itAsFirst = isAllowed ? it : it.skip;
  const title = (text: string): string =>
    isAllowed ? text : `${text} (SKIPPED: no PID namespace can be made here)`;

  /** `unshare` waits for it: it is its only child. */
  function firstProcess({ child }: ServerProcess): number {
    return Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'));
  }

  itAsFirst(title('ends at a signal before it listens, which the kernel would not deliver'), async () => {
    const server = ServerProcess.run([...unshare, process.execPath, app], { env: { APP_LISTEN: 'later' } });
    expect(await server.event('starting')).toBe(1);
    process.kill(firstProcess(server), 'SIGTERM');
    expect(await server.exited).toMatchObject({ code: 128 + 15 });
  });

  itAsFirst(title('drains, and ends at a second signal'), async () => {
    const server = ServerProcess.run([...unshare, process.execPath, app]);
    const answer = status(await server.event('listening'), '/stuck-with-timer');
    await server.event('held');
    process.kill(firstProcess(server), 'SIGTERM');
    await server.event('signals');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    process.kill(firstProcess(server), 'SIGTERM');
    expect(await answer).toBe('failed');
    expect(await server.exited).toMatchObject({ code: 128 + 15 });
  });
});

describe('a worker thread', () => {
  it('is warned that no signal arrives there', async () => {
    const file = join(directory, 'thread.cjs');
    writeFileSync(file, `new (require('node:worker_threads').Worker)(${JSON.stringify(app)});`);
    const server = await ServerProcess.listening(file);
    server.signal('SIGKILL');
    await server.exited;
    expect(server.stderr).toContain(
      'HangupWarning: drainable() runs in a worker thread, where no SIGTERM arrives',
    );
  });
});
