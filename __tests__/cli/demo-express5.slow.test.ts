import { existsSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { upToDateDist } from '../fixtures/up-to-date-dist';
import { demo, projectWith, removeProjects, rowOf } from './run-demo';

beforeAll(upToDateDist, 60_000);
afterAll(removeProjects);

describe('express-hangup demo on Express 5', () => {
  let project: string;
  let out: string;
  let code: number;

  beforeAll(async () => {
    project = projectWith('express');
    ({ out, code } = await demo(project));
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
    expect(existsSync(resolve(project, apps!, 'snippet.js'))).toBe(true);
  });
});

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
