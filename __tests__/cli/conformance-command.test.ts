import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { faultyUpstream } from 'express-hangup/testing';
import { commandLine } from '../../src/cli/command-line';

const ROOT = join(__dirname, '../..');
let server: Server;
let url: string;
let port: number;

beforeAll(async () => {
  // A port that is free, for the upstream of the app.
  const probe = await faultyUpstream();
  port = probe.port;
  await probe.close();
  server = createServer((req, res) => {
    const status = req.headers['x-wrong'] === undefined ? 502 : 500;
    get({ host: '127.0.0.1', port }, (answer) => answer.pipe(res)).on('error', () =>
      res.writeHead(status).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data?page=2`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await commandLine(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  return { code, out, err };
}

const SHORT = ['--method', 'GET', '--fault', 'ok', '--fault', 'reset', '--client', 'stays'];

describe('express-hangup conformance', () => {
  it('breaks the upstream of an app that runs, and ends with 0 where nothing is wrong', async () => {
    const { code, out, err } = await run('conformance', url, '--upstream', String(port), ...SHORT);
    expect(err).toBe(
      `The upstream that fails on demand listens on http://127.0.0.1:${port}.\n  2 of 2 cells\n`,
    );
    expect(out).toContain('All cells are right.\n\n2 right, 0 wrong, 0 not seen.\n');
    expect(out).toContain('From outside nobody sees unhandled rejections');
    expect(code).toBe(0);
  });

  it('ends with 1 where a cell is wrong', async () => {
    const { code, out } = await run(
      'conformance',
      url,
      '--upstream',
      String(port),
      ...SHORT,
      '--header',
      'x-wrong: 1',
    );
    expect(out).toContain('✗ 1 cell: 500 instead of 502\n    reset GET stays\n  → ');
    expect(code).toBe(1);
  });

  it('ends with 2 where nothing was broken', async () => {
    const upstream = await faultyUpstream({ port });
    const { code, out } = await run('conformance', url, '--method', 'GET');
    await upstream.close();
    expect(out.replace(/\s+/g, ' ')).toContain(
      '! Nothing was broken, because no upstream was given: 57 of 64 cells',
    );
    expect(out).not.toMatch(/^.{81}/m);
    expect(code).toBe(2);
  });

  it('prints JSON', async () => {
    const { out } = await run('conformance', url, '--upstream', String(port), ...SHORT, '--json', '-');
    expect(JSON.parse(out)).toMatchObject({
      route: '/data?page=2',
      deadline: 1000,
      cells: [{ verdict: 'right' }, {}],
    });
  });

  it.each([[['conformance', '--help']], [['conformance', '-h']], [['conformance']]])(
    'prints how it is used: %j',
    async (args) => {
      const { code, out, err } = await run(...args);
      expect(`${out}${err}`).toContain('Usage: express-hangup conformance --start COMMAND');
      expect(out).not.toMatch(/^.{81}/m);
      expect(code).toBe(0);
    },
  );

  it.each([
    [['conformance', 'localhost'], '"localhost" is no URL of an app; write it like'],
    [['conformance', 'http://127.0.0.1:1'], 'nobody accepts connections'],
    [['conformance', 'http://127.0.0.1:1', '--deadline', 'soon'], '--deadline is "soon"'],
    [['conformance', 'http://127.0.0.1:1', '--header', 'nonsense'], '--header is "nonsense"'],
    [['conformance', 'http://127.0.0.1:1', '--fault', 'rset'], '--fault is "rset"'],
    [['conformance', 'http://127.0.0.1:1', '--wiat'], "Unknown option '--wiat'"],
    [['conformance', '--method', 'GET'], 'Give the URL of an app that runs, or --start'],
    [['conformance', 'http://127.0.0.1:1', '--env', 'API'], '--env and --tcp are for --start'],
    [['conformance', '--start', 'x', '--upstream', '1'], 'with --start say --env NAME'],
    [['conformance', '--start', 'x', '--env', '1A'], '--env is "1A"'],
    [['conformance', '--start', 'x', '--tcp', 'NO_SUCH_VARIABLE'], '--tcp is NO_SUCH_VARIABLE'],
    [['conformance', '--start', 'x', '--expect', 'reset'], '--expect is "reset"'],
    [['conformance', 'http://127.0.0.1:1', '--expect', 'rset=502'], '--expect rset: there is no such fault'],
    [['conformance', '--start', 'x', '--answer', 'no-such-file'], '--answer: "no-such-file" cannot be read'],
    [['conformance', 'http://127.0.0.1:1', 'http://127.0.0.1:2'], 'one URL too many'],
    [
      ['conformance', '--start', 'echo no >&2; exit 3'],
      'The app did not start: the process ended with code 3 (no)',
    ],
    [['conformance', '--start', 'sleep 60', '--wait', '300'], 'did not answer at http://127.0.0.1:'],
  ])('ends with 2 where it cannot run: %j', async (args, words) => {
    const { code, err } = await run(...args);
    expect([code, err.replace(/\s+/g, ' ')]).toEqual([2, expect.stringContaining(words)]);
    expect(err).not.toMatch(/^.{81}/m);
  });

  it('says so of a command that is none', async () => {
    const { code, err } = await run('matrix', 'http://127.0.0.1:1');
    expect([code, err]).toEqual([2, expect.stringContaining('has no command "matrix"')]);
  });

  it('says which flag it is where the port of the upstream is taken', async () => {
    const upstream = await faultyUpstream();
    const { code, err } = await run('conformance', url, '--upstream', String(upstream.port));
    await upstream.close();
    expect([code, err]).toEqual([
      2,
      expect.stringContaining(`--upstream is ${upstream.port}, but something`),
    ]);
  });

  it('is a command', async () => {
    const args = [
      '-r',
      'esbuild-register',
      'src/cli/main.ts',
      'conformance',
      url,
      '--upstream',
      String(port),
      ...SHORT,
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
    expect(stdout).toContain('2 right, 0 wrong');
  });
});
