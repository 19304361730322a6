import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const ROOT = join(__dirname, '../..');
const APP = `exec "${process.execPath}" "${join(__dirname, 'apps/relay.mjs')}"`;
const SHORT = ['--method', 'GET', '--deadline', '300', '--route', '/orders/{n}'];
const folder = mkdtempSync(join(tmpdir(), 'interrupted-'));

afterAll(() => rmSync(folder, { recursive: true }));

function begun(app: string, more: readonly string[], stdio: 'ignore' | 'pipe'): ChildProcess {
  const command = ['-r', 'esbuild-register', 'src/cli/main.ts', 'conformance', '--start', app];
  const args = [...command, '--env', 'API_URL', ...SHORT, ...more];
  return spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', stdio, 'pipe'] });
}

async function untilSaid(command: ChildProcess, words: string): Promise<void> {
  let said = '';
  await new Promise<void>((resolve) => {
    command.stderr?.on('data', (bytes) => {
      said += String(bytes);
      if (said.includes(words)) resolve();
    });
  });
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}

/** The ports that the app has noted; one more for each time that it was told to end. */
const noted = (file: string): string[] => readFileSync(file, 'utf8').trim().split('\n');

describe('express-hangup conformance --start, interrupted', () => {
  it('ends an app that takes no notice of it upon the second Ctrl-C', async () => {
    const file = join(folder, 'twice');
    const command = begun(`NOTE="${file}" ${APP}`, [], 'ignore');
    const ended = once(command, 'exit');
    await untilSaid(command, '20 of');
    const port = Number(noted(file)[0]);
    expect(await accepts(port)).toBe(true);
    command.kill('SIGINT');
    while (noted(file).length < 2) await pause(10);
    command.kill('SIGINT');
    expect((await ended)[0]).toBe(130);
    while (await accepts(port)) await pause(10);
    expect(noted(file)).toEqual([String(port), String(port)]);
  });

  it('ends the app where its terminal is closed', async () => {
    const file = join(folder, 'terminal');
    const command = begun(`NOTE="${file}" ${APP}`, [], 'ignore');
    const ended = once(command, 'exit');
    await untilSaid(command, '20 of');
    command.kill('SIGHUP');
    expect((await ended)[0]).toBe(129);
    while (await accepts(Number(noted(file)[0]))) await pause(10);
  });

  it('gives its verdict where nobody reads what it says meanwhile', async () => {
    const command = begun(APP, ['--fault', 'ok', '--client', 'stays'], 'pipe');
    const ended = once(command, 'exit');
    command.stdout?.destroy();
    command.stderr?.destroy();
    expect((await ended)[0]).toBe(0);
  });
});
