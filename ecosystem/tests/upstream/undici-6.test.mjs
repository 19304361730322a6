// A project that has undici 6 beside us: upstream() refuses it in words, and nothing else minds.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { after, describe, it } from 'node:test';

const require = createRequire(import.meta.url);
const ours = dirname(require.resolve('express-hangup/package.json'));
const undici6 = dirname(require.resolve('undici6/package.json'));

describe('a project with undici 6', () => {
  const project = mkdtempSync(join(tmpdir(), 'express-hangup-undici-6-'));
  after(() => rmSync(project, { recursive: true, force: true }));
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, 'express-hangup'), { recursive: true });
  cpSync(join(ours, 'dist'), join(modules, 'express-hangup/dist'), { recursive: true });
  cpSync(join(ours, 'package.json'), join(modules, 'express-hangup/package.json'));
  symlinkSync(undici6, join(modules, 'undici'));
  writeFileSync(join(project, 'package.json'), '{}');

  const run = (code) => spawnSync(process.execPath, ['-e', code], { cwd: project, encoding: 'utf8' });

  it('is told which version it has and which it needs, when it calls upstream()', () => {
    const { stderr, status } = run("require('express-hangup/upstream').upstream('http://users:3001')");
    assert.notEqual(status, 0);
    const { version } = require('undici6/package.json');
    assert.match(version, /^6\./);
    assert.ok(stderr.includes(`needs undici 7 or 8, but undici ${version} is installed`), stderr);
    assert.match(stderr, /npm install undici@7/);
  });

  it('is not told so before that', () => {
    const { stderr, status } = run("require('express-hangup'); require('express-hangup/upstream')");
    assert.equal(stderr, '');
    assert.equal(status, 0);
  });
});
