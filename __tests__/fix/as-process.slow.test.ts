// The command as a process of its own: without ESLint beside it, with a `gh` on its PATH, with a signal amid its work.
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildPackage, project, type Project } from './workshop';

const MODULES = resolve(__dirname, '../../node_modules');
const APP = `const express = require('express');
const app = express();
app.get('/orders', async (req, res) => {
  const answer = await fetch('http://127.0.0.1:3001/orders');
  res.json(await answer.json());
});
module.exports = app;
`;

let scratch: string;
let main: string;
let shop: Project;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'express-hangup-process-'));
  const built = buildPackage();
  main = join(built, 'dist/cli/main.js');
  made.push(built);
});

const made: string[] = [];

afterAll(() => {
  for (const folder of [scratch, ...made]) rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  shop = project({
    'package.json': '{ "name": "shop", "dependencies": { "express": "^5.0.0" } }\n',
    'app.js': APP,
  });
});

afterEach(() => shop.remove());

/** Gives the project packages of this repository. */
function install(...names: string[]): void {
  mkdirSync(join(shop.folder, 'node_modules'), { recursive: true });
  for (const name of names) symlinkSync(join(MODULES, name), join(shop.folder, 'node_modules', name), 'dir');
}

/** A folder for PATH that holds git and what is given, and nothing else: whether this machine has a gh makes no difference. */
function pathWith(programs: Record<string, string>): string {
  const folder = mkdtempSync(join(scratch, 'path-'));
  for (const name of ['git', 'sh']) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(found, join(folder, name));
  }
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

function fix(args: string[], path = process.env.PATH ?? ''): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [main, 'fix', ...args], {
    cwd: shop.folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: path, NODE_PATH: '' },
  });
}

describe('fix without ESLint', () => {
  it('says in one sentence what to install', () => {
    const { status, stdout, stderr } = fix([]);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: 'express-hangup fix works with ESLint 9 or 10: npm install --save-dev eslint\n',
    });
  });

  it('says which version it found, where ESLint is too old', () => {
    const folder = join(shop.folder, 'node_modules/eslint');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "name": "eslint", "version": "8.57.1" }');
    // A double of ESLint 8, which is no partner: its Linter in the one part that is asked.
    writeFileSync(join(folder, 'index.js'), "exports.Linter = class { get version() { return '8.57.1'; } };");
    const { status, stderr } = fix([]);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr:
        'express-hangup fix works with ESLint 9 or 10: npm install --save-dev eslint (found version 8). To leave it as it is: npx --package express-hangup --package eslint@10 express-hangup fix\n',
    });
  });

  it('works with the ESLint of the project, and says what TypeScript needs', () => {
    install('eslint');
    shop.write(
      'lib.ts',
      'export const load = async (id: string): Promise<Response> => fetch(`http://api/${id}`);\n',
    );
    const { status, stdout } = fix([]);
    expect(status).toBe(0);
    expect(stdout).toContain('3 repairs in 1 file');
    expect(stdout).toMatch(/Not read\n {2}lib\.ts {2}.*npm install --save-dev typescript-eslint/);
  });
});

/** A double of GitHub's own program: it notes how it was called, and answers as told. */
function gh(answer: string): string {
  return `#!/bin/sh
printf '%s\\n' "$@" >> "${scratch}/gh-calls"
[ "$1" = --version ] && exit 0
${answer}
`;
}

describe('--pr', () => {
  beforeEach(() => {
    install('eslint');
    const origin = mkdtempSync(join(scratch, 'origin-'));
    shop.git('init', '--bare', '--quiet', origin);
    shop.git('remote', 'add', 'origin', origin);
    rmSync(join(scratch, 'gh-calls'), { force: true });
  });

  it('pushes the branch and opens a pull request with gh (a double of it)', () => {
    const path = pathWith({ gh: gh('echo https://github.example/shop/pull/7') });
    const { status, stdout, stderr } = fix(['--pr'], path);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Pull request: https://github.example/shop/pull/7');
    expect(shop.git('ls-remote', '--heads', 'origin')).toContain('refs/heads/express-hangup/repair');
    const calls = readFileSync(join(scratch, 'gh-calls'), 'utf8');
    expect(calls).toContain(
      'pr\ncreate\n--head\nexpress-hangup/repair\n--title\nRequests end their own work',
    );
    expect(calls).toContain('- Calls end when their client leaves or the deadline passes (1): app.js:4');
  });

  it('gives the commands to type where gh is not there', () => {
    const { status, stdout } = fix(['--pr'], pathWith({}));
    expect(status).toBe(0);
    expect(stdout).toContain('gh is not installed. To open the pull request:');
    expect(stdout).toContain('  git push --set-upstream origin express-hangup/repair\n  gh pr create');
    expect(shop.git('ls-remote', '--heads', 'origin')).toBe('');
  });

  it("gives gh's own words where gh fails", () => {
    const { status, stdout } = fix(['--pr'], pathWith({ gh: gh("echo 'not logged in' >&2; exit 4") }));
    expect(status).toBe(0);
    expect(stdout).toContain('gh failed: not logged in To open the pull request:');
  });

  it("gives git's own words where the push fails", () => {
    shop.git('remote', 'set-url', 'origin', join(scratch, 'nowhere'));
    const { status, stdout } = fix(['--pr'], pathWith({ gh: gh('exit 0') }));
    expect(status).toBe(0);
    expect(stdout).toMatch(/git push failed: .*nowhere/s);
    expect(readFileSync(join(scratch, 'gh-calls'), 'utf8')).toBe('--version\n');
  });
});

describe('fix amid its work', () => {
  it('gives the files back when it is interrupted', async () => {
    install('eslint');
    // Tests that pass before, and wait for ever once there is a repair: a file tells that they have begun to.
    const waiting = join(scratch, 'waiting');
    shop.write(
      'check.cjs',
      `const fs = require('node:fs');
if (fs.readFileSync('app.js', 'utf8').includes('hangup')) {
  fs.writeFileSync(${JSON.stringify(waiting)}, '');
  setInterval(() => fs.existsSync(${JSON.stringify(waiting)}) || process.exit(), 20);
}
`,
    );
    shop.commit();
    const watcher = watch(scratch);
    const begun = new Promise<void>((done) => {
      watcher.on('change', () => existsSync(waiting) && done());
    });
    const args = [main, 'fix', '--write', '--verify', `"${process.execPath}" check.cjs`];
    const child = spawn(process.execPath, args, { cwd: shop.folder, stdio: 'ignore' });
    await begun;
    watcher.close();
    expect(shop.read('app.js')).toContain('hangup');
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number];
    rmSync(waiting);
    expect(code).toBe(130);
    expect(shop.read('app.js')).toBe(APP);
    expect(shop.git('status', '--porcelain')).toBe('');
  });
});

describe('--from a file that diagnose() has written', () => {
  it('begins with the calls that failed, also where one is written over several lines', () => {
    install('eslint', 'express');
    symlinkSync(resolve(main, '../../..'), join(shop.folder, 'node_modules/express-hangup'), 'dir');
    shop.write('app.js', SHOP_THAT_IS_WATCHED);
    shop.write('play.js', PLAY);
    shop.commit();
    const played = spawnSync(process.execPath, ['play.js'], { cwd: shop.folder, encoding: 'utf8' });
    expect({ status: played.status, stderr: played.stderr }).toEqual({ status: 0, stderr: '' });
    expect(played.stdout).toBe('502 502 502 ');
    const { status, stdout } = fix(['--from', 'faults.jsonl', '--json']);
    expect(status).toBe(0);
    const { repaired, faults } = JSON.parse(stdout) as {
      repaired: { line: number; message: string }[];
      faults: { code: string; route: string; outcome: string; where: { file: string; line: number } }[];
    };
    // Two of the three faults are of the call of several lines, whose stack names its second: it comes first, though it stands last.
    expect(repaired.slice(0, 2).map(({ line, message }) => `${line} ${message}`)).toEqual([
      expect.stringMatching(/^15 globalThis\.fetch/),
      expect.stringMatching(/^11 fetch/),
    ]);
    expect(faults.map(({ code, route, outcome }) => `${code} ${route} ${outcome}`)).toEqual([
      'UPSTREAM_RESET /orders/:id repaired',
      'UPSTREAM_RESET /orders repaired',
      'UPSTREAM_RESET /orders/:id repaired',
    ]);
  });
});

const SHOP_THAT_IS_WATCHED = `const express = require('express');
const { hangup, gatewayErrorHandler } = require('express-hangup');
const { diagnose } = require('express-hangup/diagnose');
const app = express();
diagnose({ file: 'faults.jsonl' });
app.use(hangup());
app.get('/health', async (req, res) => {
  res.json(await (await fetch(process.env.API_URL + '/health')).json());
});
app.get('/orders', async (req, res) => {
  const answer = await fetch(process.env.API_URL + '/orders');
  res.json(await answer.json());
});
app.get('/orders/:id', async (req, res) => {
  const answer = await globalThis
    .fetch(process.env.API_URL + '/orders/' + req.params.id);
  res.json(await answer.json());
});
app.use(gatewayErrorHandler());
module.exports = app;
`;

/** Runs the shop before an upstream that resets every connection, and asks it three times. */
const PLAY = `const { createServer } = require('node:net');
const upstream = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.resetAndDestroy()));
upstream.listen(0, '127.0.0.1', () => {
  process.env.API_URL = 'http://127.0.0.1:' + upstream.address().port;
  const server = require('./app').listen(0, '127.0.0.1', async () => {
    for (const path of ['/orders/7', '/orders', '/orders/8']) {
      const { status } = await fetch('http://127.0.0.1:' + server.address().port + path);
      process.stdout.write(status + ' ');
    }
    process.exit();
  });
});
`;
