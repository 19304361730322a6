import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandLine } from '../../src/cli/command-line';
import { fixCommand } from '../../src/cli/fix/fix-command';
import { project, type Project } from './workshop';

const APP = `const express = require('express');
const app = express();
app.get('/orders', async (req, res) => {
  const answer = await fetch('http://127.0.0.1:3001/orders');
  res.json(await answer.json());
});
app.get('/users', async (req, res) => {
  const answer = await fetch('http://127.0.0.1:3001/users');
  res.json(await answer.json());
});
module.exports = app;
`;
const MANIFEST = '{ "name": "shop", "dependencies": { "express": "^5.0.0" } }\n';

const made: Project[] = [];

function shop(files: Record<string, string> = {}): Project {
  const shop = project({ 'package.json': MANIFEST, 'app.js': APP, ...files });
  made.push(shop);
  return shop;
}

afterEach(() => {
  for (const each of made.splice(0)) each.remove();
});

describe('what fix shows', () => {
  it('is a diff that git can apply, and nothing is written', async () => {
    const { folder, fix, git, read } = shop();
    const { code, out } = await fix();
    expect(code).toBe(0);
    expect(read('app.js')).toBe(APP);
    const diff = out.slice(0, out.indexOf('Would be repaired'));
    writeFileSync(join(folder, 'repair.patch'), diff);
    git('apply', 'repair.patch');
    expect(read('app.js')).toContain("fetch('http://127.0.0.1:3001/orders', { signal: req.signal })");
    expect(out).toContain('4 repairs in 1 file, 0 left for you.');
    expect(out).toContain('Nothing was written');
  });

  it('is JSON that says the same', async () => {
    const { fix } = shop();
    const { out } = await fix('--json');
    const report = JSON.parse(out) as {
      repaired: { rule: string; line: number }[];
      diff: string;
      written: boolean;
    };
    expect(report.repaired.map(({ rule, line }) => [rule, line])).toEqual([
      ['mount-hangup', 2],
      ['mount-gateway-error-handler', 2],
      ['call-without-signal', 4],
      ['call-without-signal', 8],
    ]);
    expect(report).toMatchObject({ written: false, diff: expect.stringContaining('+app.use(hangup());') });
  });

  it('names the line of each finding, also between the edits of another repair', async () => {
    const app = `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout('5s'));
app.get('/orders', async (req, res) => {
  const answer = await fetch('http://127.0.0.1:3001/orders');
  res.json(await answer.json());
});
app.get('/slow', timeout('30s'), async (req, res) => res.json(await (await fetch('http://127.0.0.1:3001/')).json()));
module.exports = app;
`;
    const { fix } = shop({ 'app.js': app });
    const { repaired } = JSON.parse((await fix('--json')).out) as {
      repaired: { rule: string; line: number; column: number }[];
    };
    const calls = repaired.filter(({ rule }) => rule === 'call-without-signal');
    expect(calls.map(({ line, column }) => [line, column])).toEqual([
      [6, 24],
      [9, 76],
    ]);
  });

  it('is nothing where nothing is to be repaired', async () => {
    const { fix, commit } = shop();
    await fix('--write');
    commit();
    expect(await fix('--check')).toMatchObject({ code: 0, out: '0 repairs in 0 files, 0 left for you.\n' });
  });

  it('holds back what needs hangup() where no app is seen', async () => {
    const controller = APP.slice(APP.indexOf('app.get')).replace('module.exports = app;\n', '');
    const { fix, read } = project({ 'package.json': MANIFEST, 'routes.js': controller });
    const { out } = await fix('--write');
    expect(out).toContain('No file makes an app');
    expect(read('routes.js')).toBe(controller);
  });

  it('leaves tests, what is built, and what browsers get', async () => {
    const files = [
      'app.test.js',
      'dist/app.js',
      'public/app.js',
      '__tests__/app.js',
      'node_modules/x/app.js',
    ];
    const { fix, read } = shop(Object.fromEntries(files.map((file) => [file, APP])));
    await fix('--write');
    for (const file of files) expect(read(file)).toBe(APP);
  });

  it('says which file it cannot read, and repairs the others', async () => {
    const { fix } = shop({ 'broken.js': 'fetch(;' });
    const { code, out } = await fix();
    expect(code).toBe(0);
    expect(out).toMatch(/Not read\n {2}broken\.js {2}Parsing error/);
    expect(out).toContain('4 repairs in 1 file');
  });
});

describe('where fix writes', () => {
  it('is a repository only', async () => {
    const { folder, fix } = shop();
    const outside = mkdtempSync(join(folder, '..', 'express-hangup-outside-'));
    writeFileSync(join(outside, 'app.js'), APP);
    expect(await fix(outside)).toMatchObject({ code: 2, err: expect.stringContaining('lies outside of') });
    const told: string[] = [];
    const terminal = { out: () => undefined, err: (text: string) => void told.push(text) };
    expect(await fixCommand(['--write'], terminal, outside)).toBe(2);
    expect(told.join('')).toContain('--write works in a git repository only');
    expect(readFileSync(join(outside, 'app.js'), 'utf8')).toBe(APP);
  });

  it('is a repository without uncommitted changes', async () => {
    const { fix, write, read } = shop();
    write('app.js', `${APP}// mine\n`);
    expect(await fix('--write')).toMatchObject({ code: 2, err: expect.stringContaining('M app.js') });
    expect(read('app.js')).toBe(`${APP}// mine\n`);
  });

  it('keeps line endings, a byte order mark and a missing end of line', async () => {
    const windows = `\uFEFF${APP.replaceAll('\n', '\r\n').trimEnd()}`;
    const { fix, read } = shop({ 'app.js': windows });
    await fix('--write');
    const after = read('app.js');
    expect(after.match(/(?<!\r)\n/)).toBeNull();
    expect(after.startsWith('\uFEFFconst express')).toBe(true);
    expect(after.endsWith('module.exports = app;')).toBe(true);
    expect(after).toContain("require('express-hangup');\r\n");
  });

  it('ends --check with 1 where there is something to repair', async () => {
    const { fix, read } = shop();
    expect((await fix('--check')).code).toBe(1);
    expect(read('app.js')).toBe(APP);
  });
});

describe('--verify', () => {
  /** Tests that insist on how the orders are asked for, and on nothing else. */
  const PICKY = `const text = require('node:fs').readFileSync('app.js', 'utf8');
process.exit(text.includes("await fetch('http://127.0.0.1:3001/orders');") ? 0 : 1);
`;

  it('takes back the repair that breaks the tests, and keeps the others', async () => {
    const { fix, read } = shop({ 'check.test.js': PICKY });
    const { code, out } = await fix('--write', '--verify', `"${process.execPath}" check.test.js`);
    expect(code).toBe(0);
    expect(out).toMatch(/Taken back, as the tests failed with it\n {2}app\.js:4:24 {2}call-without-signal/);
    expect(read('app.js')).toContain("await fetch('http://127.0.0.1:3001/orders');");
    expect(read('app.js')).toContain("fetch('http://127.0.0.1:3001/users', { signal: req.signal })");
    expect(out).toContain('3 repairs in 1 file');
  });

  it('changes nothing where the tests fail before', async () => {
    const { fix, read } = shop();
    const run = await fix('--write', '--verify', `"${process.execPath}" -e "process.exit(3)"`);
    expect(run).toMatchObject({ code: 1, err: expect.stringContaining('fails before anything is repaired') });
    expect(read('app.js')).toBe(APP);
  });

  it('is refused without --write', async () => {
    expect(await shop().fix('--verify', 'npm test')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--write'),
    });
  });
});

describe('--branch and --pr', () => {
  it('commit on a branch, with what was done and why', async () => {
    const { fix, git } = shop();
    const { out } = await fix('--branch');
    expect(out).toContain('Committed on the branch express-hangup/repair.');
    expect(git('branch', '--show-current').trim()).toBe('express-hangup/repair');
    expect(git('status', '--porcelain')).toBe('');
    const message = git('log', '-1', '--format=%B');
    expect(message).toContain('Requests end their own work');
    expect(message).toContain(
      'Calls end when their client leaves or the deadline passes (2): app.js:4, app.js:8',
    );
    expect(git('diff', '--stat', 'main', '--', 'app.js')).toContain('app.js');
  });

  it('take a branch of another name', async () => {
    const { fix, git } = shop();
    await fix('--branch', 'signals');
    expect(git('branch', '--show-current').trim()).toBe('signals');
  });

  it('say what to type where no pull request can be opened', async () => {
    const { fix } = shop();
    const { code, out } = await fix('--pr');
    expect(code).toBe(0);
    expect(out).toContain('git push --set-upstream origin express-hangup/repair');
    expect(out).toContain('gh pr create --head express-hangup/repair --fill');
  });
});

describe('--from', () => {
  it('begins with the calls that failed in production, wherever production has its folder', async () => {
    const { folder, fix } = shop();
    const where = { file: '/srv/shop/app.js', line: 8, column: 24 };
    const faults = [
      { code: 'UPSTREAM_RESET', method: 'GET', route: '/users', where, more: true },
      {
        code: 'UPSTREAM_TIMEOUT',
        method: 'GET',
        route: '/x',
        where: { file: 'lib/gone.js', line: 1, column: 1 },
      },
      { code: 'UPSTREAM_RESET', method: 'GET', route: '/unknown' },
    ];
    const path = join(folder, 'faults.jsonl');
    writeFileSync(path, faults.map((fault) => JSON.stringify(fault)).join('\n'));
    const { out } = await fix('--from', path, '--json');
    const report = JSON.parse(out) as { repaired: { line: number }[]; faults: { outcome: string }[] };
    expect(report.repaired[0]).toMatchObject({ line: 8, rule: 'call-without-signal' });
    expect(report.faults.map(({ outcome }) => outcome)).toEqual([
      'repaired',
      'nothing to repair at this line',
    ]);
  });

  it('names the line that is no fault', async () => {
    const { folder, fix } = shop();
    const path = join(folder, 'faults.jsonl');
    writeFileSync(path, '{}\n{"where":');
    expect(await fix('--from', path)).toMatchObject({
      code: 2,
      err: expect.stringContaining('line 2 is not JSON'),
    });
  });
});

describe('what fix is told', () => {
  it.each([
    ['--only calls', ['--only', 'calls'], 'There is no rule "calls"'],
    ['--deadline 5s', ['--deadline', '5s'], '--deadline is "5s"'],
    ['--check --write', ['--check', '--write'], '--check writes nothing'],
    ['--nothing', ['--nothing'], "Unknown option '--nothing'"],
    ['a path that is not there', ['nowhere'], 'There is no file or folder "nowhere"'],
  ])('is refused where it is wrong: %s', async (_what, args, words) => {
    expect(await shop().fix(...args)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(words),
    });
  });

  it('may leave a rule out, or name the only one', async () => {
    const { fix } = shop();
    const rules = async (...args: string[]): Promise<string[]> => {
      const report = JSON.parse((await fix('--json', ...args)).out) as { repaired: { rule: string }[] };
      return [...new Set(report.repaired.map(({ rule }) => rule))];
    };
    expect(await rules('--only', 'mount-hangup')).toEqual(['mount-hangup']);
    expect(await rules('--skip', 'mount-gateway-error-handler')).toEqual([
      'mount-hangup',
      'call-without-signal',
    ]);
  });

  it('may be a deadline for hangup()', async () => {
    expect((await shop().fix('--deadline', '10000')).out).toContain('app.use(hangup({ deadline: 10000 }));');
  });

  it('is told by --help, through the one command line', async () => {
    const told: string[] = [];
    const terminal = { out: (text: string) => void told.push(text), err: () => undefined };
    expect(await commandLine(['fix', '--help'], terminal)).toBe(0);
    expect(told.join('')).toContain('Usage: express-hangup fix [paths]');
    expect(existsSync(join(process.cwd(), 'express-hangup'))).toBe(false);
  });
});
