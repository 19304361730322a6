// The commands of README.md for a shell, as they stand there, in a project that has the package.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { codeBlocksOf, documentText } from './blocks.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

const APP = `import express from 'express';
const app = express();
app.get('/orders', async (req, res) => {
  const response = await fetch(process.env.API_URL + '/orders');
  res.json(await response.json());
});
app.listen(process.env.PORT);
`;

const REPAIRED = `import express from 'express';
import { hangup, gatewayErrorHandler } from 'express-hangup';
const app = express();
app.use(hangup({ deadline: 1000 }));
app.get('/orders', async (req, res) => {
  const response = await fetch(process.env.API_URL + '/orders', { signal: req.signal });
  res.json(await response.json());
});
app.use(gatewayErrorHandler());
app.listen(process.env.PORT);
`;

/** The lines under a heading of the README. */
function commands(heading) {
  const block = codeBlocksOf(documentText('README.md')).find(
    (candidate) => candidate.language === 'sh' && candidate.heading === heading,
  );
  return block.code.trimEnd().split('\n');
}

describe('the commands of README.md', () => {
  let project;
  before(async () => {
    project = mkdtempSync(join(tmpdir(), 'commands-'));
    await mkdir(join(project, 'node_modules/.bin'), { recursive: true });
    for (const name of ['express', 'eslint', 'typescript', 'typescript-eslint']) {
      symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
    }
    symlinkSync(root, join(project, 'node_modules/express-hangup'));
    symlinkSync('../express-hangup/dist/cli.js', join(project, 'node_modules/.bin/express-hangup'));
    const scripts = { start: 'node app.mjs', test: 'node --check app.mjs' };
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({ private: true, scripts, dependencies: { express: '5' } }),
    );
  });
  after(() => rmSync(project, { recursive: true, force: true }));

  /** As a person at the prompt would have it done, on the Node that runs this test. */
  const shell = (line) =>
    run('sh', ['-c', line], {
      cwd: project,
      env: {
        ...process.env,
        PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
        npm_config_offline: 'true',
      },
    }).then(
      ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
      ({ code, stdout, stderr }) => ({ code, said: stdout + stderr }),
    );

  it('judge an app that is right', async () => {
    writeFileSync(join(project, 'app.mjs'), REPAIRED);
    const { code, said } = await shell(commands('Testing')[0]);
    assert.match(said, / right, 0 wrong/);
    assert.equal(code, 0);
  });

  it('show what they would repair, and repair it on a branch', async () => {
    writeFileSync(join(project, 'app.mjs'), APP);
    writeFileSync(join(project, '.gitignore'), 'node_modules\n');
    const git = (...args) =>
      run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: project });
    await git('init', '-q', '-b', 'main');
    await git('add', '.');
    await git('commit', '-q', '-m', 'as it was');
    const [shows, repairs] = commands('Repair an app');
    assert.match((await shell(shows)).said, /\+.*signal: req\.signal/);
    assert.equal((await git('status', '--porcelain')).stdout, '');
    const { code, said } = await shell(repairs);
    assert.equal(code, 0, said);
    assert.match((await git('show', 'HEAD:app.mjs')).stdout, /signal: req\.signal/);
  });
});
