// A Nest app that knows nothing of this package, with tests of its own: they pass, the command repairs it, they pass again, and
// a part of the fault matrix counts what was wrong before and after.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const { bin } = JSON.parse(readFileSync(join(modules, 'express-hangup/package.json'), 'utf8'));
const command = join(modules, 'express-hangup', bin['express-hangup']);
const DEADLINE = '800';

/** Without what would tell the app's Node that it runs within a test of ours. */
const env = { ...process.env, NODE_TEST_CONTEXT: undefined };

function appUnderGit(t) {
  const folder = mkdtempSync(join(tmpdir(), 'express-hangup-nest-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(here, 'nest-app'), folder, { recursive: true });
  symlinkSync(modules, join(folder, 'node_modules'), 'dir');
  const git = (...args) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
  // A link to node_modules is no folder, which is what .gitignore names.
  git('init', '--quiet', '--initial-branch', 'main');
  git('config', 'user.name', 'A Developer');
  git('config', 'user.email', 'dev@example.com');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Work');
  return { folder, git };
}

function run(folder, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
  return { status, printed: stdout + stderr };
}

function passes(folder) {
  for (const args of [['build.mjs'], ['--test', 'app.spec.mjs'], [join(modules, 'typescript/bin/tsc')]]) {
    const { status, printed } = run(folder, ...args);
    assert.equal(status, 0, `${args.join(' ')}\n${printed}`);
  }
}

function judged(folder) {
  const { status, printed } = run(folder, join(here, 'judge-nest.mjs'), folder, DEADLINE);
  assert.equal(status, 0, printed);
  return JSON.parse(printed.slice(printed.indexOf('{"right"')));
}

test('A Nest app passes its tests and its types before and after, and loses nine of ten wrong cells', (t) => {
  const { folder, git } = appUnderGit(t);
  passes(folder);
  const before = judged(folder);
  const verify = `"${process.execPath}" build.mjs && "${process.execPath}" --test app.spec.mjs`;
  const options = ['--write', '--context', '--deadline', DEADLINE, '--verify', verify];
  const { status, printed } = run(folder, command, 'fix', 'src', ...options);
  assert.equal(status, 0, printed);
  assert.doesNotMatch(printed, /Taken back/);
  passes(folder);
  const after = judged(folder);
  console.log(`Nest: ${before.wrong} cells wrong before, ${after.wrong} after`);
  assert.ok(before.wrong > 5, before.table);
  assert.ok(after.wrong * 10 <= before.wrong, `${git('diff')}\n${after.table}`);
  const main = readFileSync(join(folder, 'src/main.ts'), 'utf8');
  assert.match(main, /app\.use\(hangup\(\{ deadline: 800, context: true \}\)\);/);
  assert.match(main, /app\.useGlobalFilters\(new GatewayFilter\(app\.getHttpAdapter\(\)\)\);/);
});
