/* eslint jest/no-standalone-expect: ['error', { additionalTestBlockFunctions: ['itAsFirst'] }] */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { drainable } from 'express-hangup';
import { ROLLOUT_DEFAULTS } from '../../src/server/rollout/rollout-config';
import { until } from '../fixtures/server-drain/served';
import { directory, ServerProcess } from '../fixtures/server-drain/server-process';
import { filledIn, PROXY_DEFAULTS } from '../fixtures/server-proxies/proxy-process';

const root = join(__dirname, '../..');
const page = readFileSync(join(root, 'docs/deploys.md'), 'utf8');

/** The code blocks of a heading's section. */
function blocks(heading: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  return [...section.matchAll(/```\w+\n(.*?)```/gs)].map(([, code = '']) => code);
}

/** Translates a block of the page, as a user would run it, into one file. */
async function translate(
  name: string,
  code: string,
  { more = {}, express = 'express' }: { more?: Record<string, string>; express?: string } = {},
): Promise<string> {
  const outfile = join(directory, `${name}.mjs`);
  for (const [file, text] of Object.entries(more)) writeFileSync(join(directory, file), text);
  await build({
    stdin: { contents: code, resolveDir: directory, loader: 'js' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
    alias: { 'express-hangup': join(root, 'src/index.ts'), express: join(root, 'node_modules', express) },
    outfile,
    logLevel: 'error',
  });
  return outfile;
}

const number = (pattern: RegExp, text: string): number => Number(pattern.exec(text)?.[1]?.replace('_', ''));
const server = page.slice(page.indexOf('```js\n') + 6, page.indexOf('```\n\n## What'));
const phases = drainable(http.createServer());

function get(port: number, path: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path }, (res) => {
        let body = '';
        res.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        res.on('end', () => resolve({ status: res.statusCode, body }));
      })
      .on('error', reject);
  });
}

describe('docs/deploys.md', () => {
  describe.each(['express', 'express4'])('has a server, which with %s', (express) => {
    it.each(['SIGTERM', 'SIGINT'] as const)('runs, and ends at %s', async (signal) => {
      const file = await translate(express, server, { express });
      const child = await ServerProcess.listening(file, { PORT: '0' });
      expect(await get(child.port, '/')).toEqual({ status: 200, body: 'hello' });
      expect(await get(child.port, '/ready')).toEqual({ status: 200, body: 'ready\n' });
      child.signal(signal);
      expect(await child.exited).toMatchObject({ code: 0, signal: null });
      expect(await child.event('drained')).toMatchObject({ forced: 0 });
    });

    it('says that its port is in use', async () => {
      const file = await translate(express, server, { express });
      const first = await ServerProcess.listening(file, { PORT: '0' });
      const second = ServerProcess.start(file, { PORT: String(first.port) });
      expect(await second.exited).toMatchObject({ code: 1 });
      expect(second.stderr).toContain('EADDRINUSE');
      expect(second.stderr).not.toContain('TypeError');
    });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'has a cluster that ends when its workers have drained, at %s to its process group',
    async (signal) => {
      const [code = ''] = blocks('cluster');
      const file = await translate('cluster', code, { more: { 'server.mjs': server } });
      const child = ServerProcess.run([process.execPath, file], { env: { PORT: '0' }, asGroup: true });
      await child.event('listening');
      child.signalGroup(signal);
      expect(await child.exited).toMatchObject({ code: 0, signal: null });
      expect(await child.event('drained')).toMatchObject({ forced: 0 });
    },
  );

  it('has a cluster that does not wait for a worker that hangs', async () => {
    const [code = ''] = blocks('cluster');
    expect(number(/'SIGKILL'\), ([\d_]+)/, code)).toBeGreaterThan(phases.force);
    const hanging = server.replace(
      "app.get('/',",
      "app.get('/hang', () => { console.log('hanging', process.pid); for (;;); });\napp.get('/',",
    );
    const soon = code.replace('30_000', '300');
    const file = await translate('hung-cluster', soon, { more: { 'server.mjs': hanging } });
    const child = ServerProcess.run([process.execPath, file], { env: { PORT: '0' }, asGroup: true });
    const port = (await child.event('listening')) as number;
    const answer = get(port, '/hang').catch((error: unknown) => (error as NodeJS.ErrnoException).code);
    await child.event('hanging');
    child.signal('SIGTERM');
    expect(await child.exited).toMatchObject({ code: 0, signal: null });
    expect(await answer).toBe('ECONNRESET');
  });

  it('has a server for a socket that somebody else holds, and its restarts refuse and lose nobody', async () => {
    const activated = server.replace(/app\.listen\(process\.env\.PORT/, 'app.listen({ fd: 3 }');
    expect(blocks('systemd').join('')).toContain('app.listen({ fd: 3 })');
    const file = await translate('activated', activated);
    const { holder, port } = await heldSocket(file);
    const statuses: (number | undefined | string)[] = [];
    let isOver = false;
    const clients = Array.from({ length: 4 }, async () => {
      while (!isOver) statuses.push(await get(port, '/').then(({ status }) => status, String));
    });
    const started = (): number[] =>
      holder.events.flatMap(([event, pid]) => (event === 'started' ? [Number(pid)] : []));
    for (let restart = 0; restart < 3; restart += 1) {
      const before = statuses.length;
      await until(() => statuses.length > before + 20);
      process.kill(started().at(-1)!, 'SIGTERM');
      await until(() => started().length === restart + 2);
    }
    isOver = true;
    // Those that wait in the queue are answered by the next one.
    await Promise.all(clients);
    holder.signalGroup('SIGKILL');
    expect([...new Set(statuses)]).toEqual([200]);
  });

  describe('has a Dockerfile', () => {
    const unshare = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const isAllowed = spawnSync(unshare[0]!, [...unshare.slice(1), 'true']).status === 0;
    const itAsFirst = isAllowed ? it : it.skip;
    const title = (text: string): string =>
      isAllowed ? text : `${text} (SKIPPED: no PID namespace can be made here)`;
    const [dockerfile = ''] = blocks('Docker');
    const signal = /^STOPSIGNAL (\w+)$/m.exec(dockerfile)?.[1] as NodeJS.Signals;
    const [program = '', script] = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[];

    /** Runs a command as a container would, as the first process of its own; gives that process, too. */
    async function contained(command: string[]): Promise<{ server: ServerProcess; first: number }> {
      const cwd = mkdtempSync(join(directory, 'container-'));
      copyFileSync(await translate('contained', server), join(cwd, 'server.mjs'));
      const container = ServerProcess.run([...unshare, ...command], { cwd, env: { PORT: '0' } });
      await container.event('listening');
      const { pid } = container.child;
      const first = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
      return { server: container, first };
    }

    itAsFirst(title('whose command drains at its STOPSIGNAL'), async () => {
      expect([program, script, signal]).toEqual(['node', 'server.mjs', 'SIGTERM']);
      const { server: container, first } = await contained([process.execPath, script!]);
      process.kill(first, signal);
      expect(await container.exited).toMatchObject({ code: 0 });
      expect(await container.event('drained')).toMatchObject({ forced: 0 });
    });

    itAsFirst(title('whose command, given to a shell, would not hear the signal'), async () => {
      const { server: container, first } = await contained([
        'sh',
        '-c',
        `${process.execPath} server.mjs; exit`,
      ]);
      const port = (await container.event('listening')) as number;
      process.kill(first, signal);
      expect(await get(port, '/ready')).toEqual({ status: 200, body: 'ready\n' });
      process.kill(first, 'SIGKILL');
      await container.exited;
      expect(container.events.map(([event]) => event)).not.toContain('drained');
    });
  });

  it('names the defaults', () => {
    const kubernetes = drainableInKubernetes();
    expect(page).toContain(`| \`delay\` | ${phases.delay}; in a Kubernetes pod`);
    expect(page).toContain(`${kubernetes.delay} ms |`);
    expect(page).toContain(`at \`timeout\`, ${phases.timeout} ms`);
    expect(page).toContain(`at \`force\`, ${phases.force} ms`);
  });

  it('gives every platform more time than the drain takes', () => {
    const [kubernetes = ''] = blocks('Kubernetes');
    const grace = number(/terminationGracePeriodSeconds: (\d+)/, kubernetes) * 1000;
    expect(grace).toBeGreaterThan(number(/force: ([\d_]+)/, page));
    expect(number(/kill_timeout: ([\d_]+)/, page)).toBeGreaterThan(phases.force);
    expect(number(/TimeoutStopSec=(\d+)/, page) * 1000).toBeGreaterThan(phases.force);
    expect(number(/stop_grace_period: (\d+)s/, page) * 1000).toBeGreaterThan(phases.force);
    expect(ROLLOUT_DEFAULTS.stopWithin).toBeGreaterThan(phases.force);
  });

  it('names the defaults of rollout.json', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` +\| `?([^|`]+?)`? +\|/gm)].filter(
      ([, name = '']) => name in ROLLOUT_DEFAULTS,
    );
    expect(Object.fromEntries(rows.map(([, name, value = '']) => [name, JSON.parse(value)]))).toEqual(
      ROLLOUT_DEFAULTS,
    );
  });

  it.each([
    ['nginx', 'nginx.conf'],
    ['HAProxy', 'haproxy.conf'],
  ])('shows the %s configuration that the rolling restarts are tested with', (heading, file) => {
    const template = readFileSync(join(root, '__tests__/fixtures/server-proxies', file), 'utf8');
    const fixture = filledIn(template, PROXY_DEFAULTS).replace('50ms', '500ms');
    const lines = (text: string): string[] => text.split('\n').map((line) => line.trim());
    const own = lines(blocks(heading).join('\n')).filter(
      (line) => line !== '' && !/^server \w* ?127/.test(line),
    );
    expect(lines(fixture)).toEqual(expect.arrayContaining(own));
    expect(page).toContain('server 127.0.0.1:3001 max_fails=0;');
  });
});

/** A shell that holds a listening socket, as systemd would, and runs the server with it as descriptor 3, again and again. */
async function heldSocket(file: string): Promise<{ holder: ServerProcess; port: number }> {
  const socket = net.createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address() as net.AddressInfo;
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  const loop = 'while :; do "$0" "$1" & echo started $!; wait $!; done';
  const holder = ServerProcess.run(['sh', '-c', loop, process.execPath, file], { fd, asGroup: true });
  await holder.event('listening');
  // Nobody is accepted here.
  socket.close();
  return { holder, port };
}

function drainableInKubernetes(): { delay: number } {
  process.env['KUBERNETES_SERVICE_HOST'] = '10.0.0.1';
  try {
    return drainable(http.createServer());
  } finally {
    delete process.env['KUBERNETES_SERVICE_HOST'];
  }
}
