/* eslint jest/no-standalone-expect: ['error', { additionalTestBlockFunctions: ['itHere'] }] */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lock, readRecord } from '../../../src/server/rollout/record';
import { readConfig, ROLLOUT_DEFAULTS, writeConfig } from '../../../src/server/rollout/rollout-config';
import { rolloutCommand } from '../../../src/server/rollout/rollout-command';
import { build } from '../../fixtures/server-drain/server-process';
import { isInstalled } from '../../fixtures/server-proxies/proxy-process';
import { Stage } from '../../fixtures/server-rollout/stage';

const isHere = isInstalled('haproxy');
const itHere = isHere ? it : it.skip;
const title = (text: string): string => (isHere ? text : `${text} (SKIPPED: haproxy is not installed)`);

const directories: string[] = [];
afterEach(() => directories.splice(0).forEach((path) => rmSync(path, { recursive: true })));

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'express-hangup-rollout-'));
  directories.push(path);
  return path;
}

/** Runs the command; gives its exit code and what it says. */
async function rollout(...args: string[]): Promise<[code: number, said: string]> {
  let said = '';
  const write = (text: string): void => void (said += text);
  return [await rolloutCommand(args, { out: write, err: write }), said];
}

describe('rollout init', () => {
  it('writes what is not there, and keeps what is', async () => {
    const path = directory();
    writeFileSync(join(path, 'rollout.json'), '{"trial": 7}');
    const [code, said] = await rollout('init', '--dir', path, '--port', '8123');
    expect([code, said]).toEqual([0, expect.stringContaining('haproxy.cfg')]);
    expect(readFileSync(join(path, 'rollout.json'), 'utf8')).toBe('{"trial": 7}');
    expect(readFileSync(join(path, 'haproxy.cfg'), 'utf8')).toContain('bind :8123');
    expect(readConfig(path)).toEqual({ ...ROLLOUT_DEFAULTS, trial: 7 });
  });
});

describe('rollout, asked wrongly', () => {
  it.each([
    [[], 'Usage: express-hangup rollout'],
    [['jump'], 'has no "jump"'],
    [['run', 'now'], 'takes no "now"'],
    [['run', '--fast'], "Unknown option '--fast'"],
    [['init', '--port', 'http'], '--port is http'],
    [['run'], 'run "express-hangup rollout init" first'],
  ])('says what is wrong and tries nothing: %j', async (args, words) => {
    const [code, said] = await rollout(...args, '--dir', directory());
    expect([code, said]).toEqual([2, expect.stringContaining(words)]);
  });

  it.each([
    [{ trail: 5 }, 'there is no option "trail"'],
    [{ trial: '5' }, '"trial" is the string \'5\''],
    [{ command: 'node server.mjs' }, '"command" is the string'],
    [{ command: [] }, 'a program and its arguments'],
    [{ readiness: 'ready' }, '"readiness" is the string \'ready\''],
    [{ readyTimes: -1 }, '"readyTimes" is -1'],
  ])('refuses a wrong rollout.json: %j', async (config, words) => {
    const path = directory();
    writeFileSync(join(path, 'rollout.json'), JSON.stringify(config));
    const [code, said] = await rollout('run', '--dir', path);
    expect([code, said]).toEqual([2, expect.stringContaining(words)]);
  });

  it('says that HAProxy is not there, and starts no version', async () => {
    const path = directory();
    writeConfig(path, 8080);
    const [code, said] = await rollout('run', '--dir', path);
    expect([code, said]).toEqual([2, expect.stringContaining('Does it run?')]);
    expect(readRecord(path)).toEqual([]);
  });

  it('says that there is nothing to go back to', async () => {
    const path = directory();
    writeConfig(path, 8080);
    expect(await rollout('back', '--dir', path)).toEqual([
      2,
      expect.stringContaining('no version to go back to'),
    ]);
  });

  it('does not run twice at a time, and is not held up by a process that is gone', async () => {
    const path = directory();
    const unlock = lock(path);
    expect(() => lock(path)).toThrow('Another rollout is running');
    unlock();
    const gone = spawn('true');
    await once(gone, 'exit');
    writeFileSync(join(path, 'rollout.lock'), String(gone.pid));
    expect(() => lock(path)()).not.toThrow();
  });
});

describe('rollout run', () => {
  itHere(
    title('gives a version the traffic, records it, and finds it again after a restart of HAProxy'),
    async () => {
      const stage = await Stage.set({ trial: 0, watch: 0 });
      expect(await stage.version()).toBe('503');
      expect(await stage.rollout('run', '--as', 'one')).toBe(0);
      expect(await stage.version()).toBe('one');
      await stage.startHaproxy();
      expect(await stage.version()).toBe('one');
      expect(await stage.rollout('run', '--as', 'two')).toBe(0);
      await stage.startHaproxy();
      expect(await stage.version()).toBe('two');
      const [first, second] = stage.record;
      expect(first).toMatchObject({
        action: 'run',
        version: 'one',
        replaces: null,
        outcome: 'shifted',
        before: null,
      });
      expect(second).toMatchObject({ version: 'two', replaces: 'one', serving: { slot: 'green' }, lost: 0 });
      expect(second!.at).toMatch(/^\d{4}-\d\d-\d\dT/);
      expect(second!.by).not.toBe('');
      // The old version has drained and ended.
      expect(() => process.kill(first!.serving!.pid, 0)).toThrow('ESRCH');
    },
  );

  const cli = build(join(__dirname, '../../../src/cli/main.ts'));

  /** The real command, with `answer` on its standard input. */
  async function approve(stage: Stage, version: string, answer: string): Promise<number> {
    const args = [cli, 'rollout', 'run', '--as', version, '--approve', '--dir', stage.directory];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(answer);
    child.stdout.resume();
    return ((await once(child, 'exit')) as [number])[0];
  }

  itHere(title('lets a version have traffic only with a yes, where approval is asked for'), async () => {
    const stage = await Stage.set({ trial: 0, watch: 0 });
    expect(await approve(stage, 'no', 'no\n')).toBe(1);
    expect(await approve(stage, 'silence', '')).toBe(1);
    expect(await stage.version()).toBe('503');
    expect(await approve(stage, 'yes', 'yes\n')).toBe(0);
    expect(await stage.version()).toBe('yes');
    expect(stage.record.map(({ outcome, why, approved }) => [outcome, why, approved])).toEqual([
      ['refused', 'it was not approved', undefined],
      ['refused', 'it was not approved', undefined],
      ['shifted', undefined, true],
    ]);
  });

  itHere(title('takes the new version back when it is interrupted'), async () => {
    const stage = await Stage.set({ trial: 60_000 });
    expect(await stage.rollout('run', '--as', 'one')).toBe(0);
    const args = [cli, 'rollout', 'run', '--as', 'two', '--dir', stage.directory];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    for await (const chunk of child.stdout) {
      said += String(chunk);
      if (said.includes('on trial') && child.exitCode === null) child.kill('SIGINT');
    }
    expect(said).toContain('two is taken back: it was interrupted');
    expect(await stage.version()).toBe('one');
    expect(stage.record.at(-1)).toMatchObject({
      outcome: 'taken back',
      serving: { version: 'one' },
      lost: 0,
    });
  });
});
