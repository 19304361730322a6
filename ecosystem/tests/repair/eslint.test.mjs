// The rules on ESLint 9 and 10, each as a project has it: flat configuration, typescript-eslint's parser, `eslint --fix`, and the
// command. The rules' own cases run on ESLint 10 with the package's tests, and on 9 in rules-on-eslint-9.test.mjs.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const { bin } = JSON.parse(readFileSync(join(modules, 'express-hangup/package.json'), 'utf8'));
const command = join(modules, 'express-hangup', bin['express-hangup']);
const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined };

const FILES = {
  'package.json': '{ "name": "shop", "type": "module", "dependencies": { "express": "^5.0.0" } }',
  'app.js': `import express from 'express';
import { hangup, gatewayErrorHandler } from 'express-hangup';
import { orders } from './orders.ts';

export const app = express();
app.use(hangup());
app.get('/orders', orders);
app.get('/users', async (req, res) => {
  const answer = await fetch('http://127.0.0.1:3001/users');
  res.json(await answer.json());
});
app.use(gatewayErrorHandler());
`,
  'orders.ts': `import type { Request, Response } from 'express';

export async function orders(req: Request, res: Response): Promise<void> {
  const answer = await fetch(\`http://127.0.0.1:3001/orders/\${req.params['id']}\`, { headers: { accept: 'text/html' } });
  res.json(await answer.json());
}
`,
};

const CONFIGS = {
  'the configuration itself': `import { recommended } from 'express-hangup/eslint';
import tseslint from 'typescript-eslint';
export default [recommended, { files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } }];
`,
  'extends, by its name': `import { plugin } from 'express-hangup/eslint';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
export default defineConfig([
  { files: ['**/*.js', '**/*.ts'], plugins: { 'express-hangup': plugin }, extends: ['express-hangup/recommended'] },
  { files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } },
]);
`,
};

const VERSIONS = [
  [9, 'eslint9'],
  [10, 'eslint'],
];

/** A project with one of the versions, under git. */
function project(t, eslint, config) {
  const folder = mkdtempSync(join(tmpdir(), 'express-hangup-eslint-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const packages = { eslint, 'express-hangup': 'express-hangup', 'typescript-eslint': 'typescript-eslint' };
  for (const [name, from] of Object.entries(packages)) {
    const place = join(folder, 'node_modules', name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(modules, from), place, 'dir');
  }
  const files = { ...FILES, 'eslint.config.js': config, '.gitignore': 'node_modules\n' };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const git = (...args) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
  git('init', '--quiet');
  git('config', 'user.name', 'A Developer');
  git('config', 'user.email', 'dev@example.com');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Work');
  return { folder, read: (name) => readFileSync(join(folder, name), 'utf8') };
}

function run(folder, ...args) {
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env });
}

for (const [major, eslint] of VERSIONS) {
  test(`The alias ${eslint} is ESLint ${major}`, () => {
    const { version } = JSON.parse(readFileSync(join(modules, eslint, 'package.json'), 'utf8'));
    assert.equal(Number(version.split('.')[0]), major);
  });

  for (const [what, config] of Object.entries(CONFIGS)) {
    test(`ESLint ${major} finds and fixes calls in JavaScript and TypeScript, by ${what}`, (t) => {
      const { folder, read } = project(t, eslint, config);
      const found = run(folder, 'node_modules/eslint/bin/eslint.js', '--format', 'json', '.');
      assert.equal(found.status, 1, found.stderr);
      const messages = JSON.parse(found.stdout).flatMap((file) =>
        file.messages.map(
          ({ ruleId, line }) => `${file.filePath.slice(folder.length + 1)}:${line} ${ruleId}`,
        ),
      );
      assert.deepEqual(messages, [
        'app.js:9 express-hangup/call-without-signal',
        'orders.ts:4 express-hangup/call-without-signal',
      ]);
      const fixed = run(folder, 'node_modules/eslint/bin/eslint.js', '--fix', '.');
      assert.deepEqual([fixed.status, fixed.stdout, fixed.stderr], [0, '', '']);
      assert.match(read('app.js'), /fetch\('http:\/\/127\.0\.0\.1:3001\/users', \{ signal: req\.signal \}\)/);
      assert.match(read('orders.ts'), /\{ headers: \{ accept: 'text\/html' \}, signal: req\.signal \}/);
    });
  }

  test(`npx express-hangup fix works with ESLint ${major}`, (t) => {
    const { folder, read } = project(t, eslint, CONFIGS['the configuration itself']);
    const { status, stdout, stderr } = run(folder, command, 'fix', '--write');
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /2 repairs in 2 files, 0 left for you\./);
    assert.match(read('orders.ts'), /signal: req\.signal/);
  });
}
