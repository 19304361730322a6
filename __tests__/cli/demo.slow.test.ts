import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { upToDateDist } from '../fixtures/up-to-date-dist';
import { demo, MAIN, projectWith, removeProjects, rowOf } from './run-demo';

const PSEUDO_TERMINAL = '/usr/bin/script';

beforeAll(upToDateDist, 60_000);
afterAll(removeProjects);

test('the demo on Express 4 shows that a reset ends the process of plain Express', async () => {
  const { code, out } = await demo(projectWith('express4'));
  expect(code).toBe(0);
  expect(out).toMatch(/^Express 4\.\d+\.\d+ on Node/);
  expect(rowOf(out, 'The upstream')[0]).toBe('✗ the process ended: TypeError: fetch failed');
  expect(rowOf(out, 'As it is wanted')[2]).toBe('✓ 5 of 5');
}, 30_000);

const onTerminal = existsSync(PSEUDO_TERMINAL) ? describe : describe.skip;

onTerminal(`the demo on a terminal (skipped where there is no ${PSEUDO_TERMINAL})`, () => {
  /** What it prints on a terminal until the names of the columns have come. */
  async function headOf(env: NodeJS.ProcessEnv): Promise<string> {
    const command = `'${process.execPath}' '${MAIN}' demo`;
    const terminal = { TERM: 'xterm-256color', PATH: process.env['PATH'] };
    const child = spawn(PSEUDO_TERMINAL, ['-qec', command, '/dev/null'], {
      cwd: projectWith('express'),
      env: { ...terminal, ...env },
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    while (!text.includes("req.on('close')")) await once(child.stdout, 'data');
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
