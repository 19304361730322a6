import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { drainable } from 'express-hangup';
import { directory, ServerProcess } from '../fixtures/server-drain/server-process';

const root = join(__dirname, '../..');
const page = readFileSync(join(root, 'docs/deploys.md'), 'utf8');

/** The code blocks of a heading's section. */
function blocks(heading: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  return [...section.matchAll(/```\w+\n(.*?)```/gs)].map(([, code = '']) => code);
}

/** Translates a block of the page, as a user would run it, into one file. */
async function translate(name: string, code: string, more: Record<string, string> = {}): Promise<string> {
  const outfile = join(directory, `${name}.mjs`);
  for (const [file, text] of Object.entries(more)) writeFileSync(join(directory, file), text);
  await build({
    stdin: { contents: code, resolveDir: directory, loader: 'js' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
    alias: { 'express-hangup': join(root, 'src/index.ts'), express: join(root, 'node_modules/express') },
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
  it.each(['SIGTERM', 'SIGINT'] as const)('has a server that runs, and ends at %s', async (signal) => {
    const child = await ServerProcess.listening(await translate('server', server), { PORT: '0' });
    expect(await get(child.port, '/')).toEqual({ status: 200, body: 'hello' });
    expect(await get(child.port, '/ready')).toEqual({ status: 200, body: 'ready\n' });
    child.signal(signal);
    expect(await child.exited).toMatchObject({ code: 0, signal: null });
    expect(await child.event('drained')).toMatchObject({ forced: 0 });
  });

  it('has a cluster that ends when its workers have drained', async () => {
    const [code = ''] = blocks('cluster');
    const file = await translate('cluster', code, { 'server.mjs': server });
    const child = await ServerProcess.listening(file, { PORT: '0' });
    child.signal();
    expect(await child.exited).toMatchObject({ code: 0, signal: null });
    expect(await child.event('drained')).toMatchObject({ forced: 0 });
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
  });

  it.each([
    ['nginx', 'nginx.conf'],
    ['HAProxy', 'haproxy.conf'],
  ])('shows the %s configuration that the rolling restarts are tested with', (heading, file) => {
    const fixture = readFileSync(join(root, '__tests__/fixtures/server-proxies', file), 'utf8').replace(
      '50ms',
      '500ms',
    );
    const lines = (text: string): string[] => text.split('\n').map((line) => line.trim());
    const own = lines(blocks(heading).join('\n')).filter(
      (line) => line !== '' && !/^server \w* ?127/.test(line),
    );
    expect(lines(fixture)).toEqual(expect.arrayContaining(own));
    expect(page).toContain('server 127.0.0.1:3001 max_fails=0;');
  });
});

function drainableInKubernetes(): { delay: number } {
  process.env['KUBERNETES_SERVICE_HOST'] = '10.0.0.1';
  try {
    return drainable(http.createServer());
  } finally {
    delete process.env['KUBERNETES_SERVICE_HOST'];
  }
}
