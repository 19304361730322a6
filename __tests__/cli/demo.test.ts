import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { upToDateDist } from '../fixtures/up-to-date-dist';

const ROOT = resolve(__dirname, '../..');
const MAIN = join(ROOT, 'dist/cli/main.js');
const PSEUDO_TERMINAL = '/usr/bin/script';

/** Where the three results of a row begin, and how wide each is. */
const FIRST_COLUMN = 18;
const COLUMN_WIDTH = 21;

const directories: string[] = [];

beforeAll(upToDateDist, 60_000);
afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true })));

/** A project in which this package of the repository is installed as `express`. */
function projectWith(express: string | undefined): string {
  const directory = mkdtempSync(join(tmpdir(), 'express-hangup-demo-'));
  directories.push(directory);
  mkdirSync(join(directory, 'node_modules'));
  if (express !== undefined)
    symlinkSync(join(ROOT, 'node_modules', express), join(directory, 'node_modules/express'));
  return directory;
}

async function demo(cwd: string, ...args: string[]) {
  const child = spawn(process.execPath, [MAIN, 'demo', ...args], { cwd });
  const [out, err] = [child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray());
  const [code] = await once(child, 'close');
  return { code, out: (await out!).join(''), err: (await err!).join('') };
}

/** What stands in the three columns of the row that begins with `about`, each on one line. */
function rowOf(out: string, about: string): string[] {
  const lines = out.split('\n');
  const first = lines.findIndex((line) => line.startsWith(about));
  const height = lines.slice(first).indexOf('');
  return [0, 1, 2].map((column) => {
    const start = FIRST_COLUMN + column * COLUMN_WIDTH;
    const cell = lines.slice(first, first + height).map((line) => line.slice(start, start + COLUMN_WIDTH));
    return cell.join(' ').replace(/\s+/g, ' ').trim();
  });
}

describe('express-hangup demo on Express 5', () => {
  let out: string;
  let code: number;

  beforeAll(async () => {
    ({ out, code } = await demo(projectWith('express')));
  }, 30_000);

  test('names the versions on which it runs, and ends with code 0', () => {
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^Express 5\\.\\d+\\.\\d+ on Node ${process.versions.node}:`));
  });

  test('shows that only the snippet fails a POST that goes well', () => {
    expect(rowOf(out, 'POST')).toEqual([
      expect.stringMatching(/^✓ 201 after \d+ ms$/),
      expect.stringMatching(/^✗ 504 after \d+ ms$/),
      expect.stringMatching(/^✓ 201 after \d+ ms$/),
    ]);
  });

  test('shows 500, 500 and 502 for a reset', () => {
    expect(rowOf(out, 'The upstream')).toEqual([
      expect.stringMatching(/^✗ 500 after \d+ ms$/),
      expect.stringMatching(/^✗ 500 after \d+ ms$/),
      expect.stringMatching(/^✓ 502 after \d+ ms$/),
    ]);
  });

  test('shows no answer, 504 and 504 for an upstream that hangs', () => {
    expect(rowOf(out.slice(out.indexOf('-> 502')), 'The upstream')).toEqual([
      expect.stringMatching(/^✗ no answer: gave up after 2,[5-9]\d\d ms$/),
      expect.stringMatching(/^✓ 504 after [12],\d{3} ms$/),
      expect.stringMatching(/^✓ 504 after [12],\d{3} ms$/),
    ]);
  });

  test('shows what the upstream goes on doing when the client has left', () => {
    expect(rowOf(out, 'The client leaves')).toEqual([
      expect.stringMatching(/^✗ upstream worked on for 1,[45]\d\d ms$/),
      expect.stringMatching(/^✓ upstream stopped after \d+ ms$/),
      expect.stringMatching(/^✓ upstream stopped after \d+ ms$/),
    ]);
  });

  test('shows which processes a broken stream ends', () => {
    expect(rowOf(out, 'A stream breaks')).toEqual([
      '✗ the process ended: TypeError: terminated',
      '✗ the process ended: TypeError: terminated',
      '✓ cut at 500 bytes app lives on',
    ]);
  });

  test('counts what each has done as it is wanted', () => {
    expect(rowOf(out, 'As it is wanted')).toEqual(['✗ 1 of 5', '✗ 2 of 5', '✓ 5 of 5']);
  });

  test('is 80 columns wide, and colourless where it is no terminal', () => {
    const tooLong = out.split('\n').filter((line) => line.length > 80);
    expect(tooLong).toEqual([]);
    expect(out).not.toContain('\u001b');
  });

  test('names a directory in which the three apps can be read', () => {
    const [, apps] = /to read:\s+(\S+)\n$/.exec(out) ?? [];
    expect(existsSync(resolve(directories[0]!, apps!, 'snippet.js'))).toBe(true);
  });
});

test('the demo on Express 4 shows that a reset ends the process of plain Express', async () => {
  const { code, out } = await demo(projectWith('express4'));
  expect(code).toBe(0);
  expect(out).toMatch(/^Express 4\.\d+\.\d+ on Node/);
  expect(rowOf(out, 'The upstream')[0]).toBe('✗ the process ended: TypeError: fetch failed');
  expect(rowOf(out, 'As it is wanted')[2]).toBe('✓ 5 of 5');
}, 30_000);

test('the demo says what to install where there is no Express', async () => {
  const project = projectWith(undefined);
  const { code, out, err } = await demo(project);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain(`none is installed in ${project}`);
  expect(err).toContain('npm install express');
});

test('the demo tells in words why an app did not start', async () => {
  const project = projectWith(undefined);
  symlinkSync(join(__dirname, 'apps/broken-express'), join(project, 'node_modules/express'));
  const { code, err } = await demo(project);
  expect(code).toBe(1);
  expect(err).toContain('app did not start: Error: this Express is broken');
});

test('the demo refuses arguments with code 2, and shows its help with code 0', async () => {
  const project = projectWith(undefined);
  const [wrong, help] = await Promise.all([demo(project, 'now'), demo(project, '--help')]);
  expect(wrong.code).toBe(2);
  expect(wrong.err).toContain('takes no arguments, and was given "now"');
  expect(help).toMatchObject({ code: 0, err: '', out: expect.stringContaining('npx express-hangup demo') });
});

const onTerminal = existsSync(PSEUDO_TERMINAL) ? describe : describe.skip;

onTerminal(`the demo on a terminal (skipped where there is no ${PSEUDO_TERMINAL})`, () => {
  /** What it prints on a terminal until the names of the columns have come. */
  async function headOf(env: NodeJS.ProcessEnv): Promise<string> {
    const command = `'${process.execPath}' '${MAIN}' demo`;
    const terminal = { TERM: 'xterm-256color', PATH: process.env['PATH'] };
    const child: ChildProcess = spawn(PSEUDO_TERMINAL, ['-qec', command, '/dev/null'], {
      cwd: projectWith('express'),
      env: { ...terminal, ...env },
    });
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (part: string) => (text += part));
    while (!text.includes("req.on('close')")) await once(child.stdout!, 'data');
    child.kill();
    await once(child, 'close');
    return text;
  }

  test('is in colour', async () => {
    await expect(headOf({})).resolves.toContain('\u001b[1m  plain Express');
  });

  test('heeds NO_COLOR', async () => {
    await expect(headOf({ NO_COLOR: '1' })).resolves.not.toContain('\u001b');
  });
});
