// What fix makes of repositories as they come: workspaces, submodules, links, ignored files, files of every kind.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { project, type Project } from './workshop';

const ROUTE = `app.get('/orders', async (req, res) => {
  const answer = await fetch('http://127.0.0.1:3001/orders');
  res.json(await answer.json());
});
`;
const APP = `const express = require('express');\nconst app = express();\n${ROUTE}module.exports = app;\n`;
const ROUTER = `const { Router } = require('express');\nconst app = Router();\n${ROUTE}module.exports = app;\n`;
const MANIFEST = '{ "name": "shop", "dependencies": { "express": "^5.0.0" } }\n';
const SIGNAL = '{ signal: req.signal }';

const made: Project[] = [];

function shop(files: Record<string, string>): Project {
  const one = project({ 'package.json': MANIFEST, ...files });
  made.push(one);
  return one;
}

afterEach(() => {
  for (const each of made.splice(0)) each.remove();
});

describe('fix --write refuses', () => {
  it('a source file that git does not have, and names it', async () => {
    const { fix, write, read } = shop({ 'app.js': APP });
    write('admin.js', APP);
    const { code, err } = await fix('--write');
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('?? admin.js') as string });
    expect([read('app.js'), read('admin.js')]).toEqual([APP, APP]);
  });

  it('a branch that exists, before anything is written', async () => {
    const { fix, git, read } = shop({ 'app.js': APP });
    git('branch', 'express-hangup/repair');
    expect(await fix('--branch')).toMatchObject({
      code: 2,
      err: 'The branch express-hangup/repair exists already: give another name, --branch NAME.\n',
    });
    expect(read('app.js')).toBe(APP);
  });

  it('a name that is none for a branch', async () => {
    const { fix, read } = shop({ 'app.js': APP });
    expect(await fix('--branch', 'two words')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--branch is "two words"') as string,
    });
    expect(read('app.js')).toBe(APP);
  });

  it('a repository amid a merge with conflicts', async () => {
    const { fix, git, write, commit, read } = shop({ 'app.js': APP });
    git('switch', '--quiet', '--create', 'other');
    write('app.js', `${APP}// theirs\n`);
    commit();
    git('switch', '--quiet', 'main');
    write('app.js', `${APP}// ours\n`);
    commit();
    expect(() => git('merge', 'other')).toThrow();
    const before = read('app.js');
    expect(await fix('--write')).toMatchObject({
      code: 2,
      err: expect.stringContaining('UU app.js') as string,
    });
    expect(read('app.js')).toBe(before);
  });
});

describe('fix --write takes no notice of', () => {
  it('files that are neither source nor committed', async () => {
    const { fix, write, read } = shop({ 'app.js': APP });
    write('notes.txt', 'mine');
    expect((await fix('--write')).code).toBe(0);
    expect(read('app.js')).toContain(SIGNAL);
  });

  it('files that git ignores', async () => {
    const { fix, write, read, commit } = shop({ 'app.js': APP, '.gitignore': 'node_modules\n' });
    write('.gitignore', 'node_modules\ngenerated\n');
    commit();
    write('generated/client.js', APP);
    expect((await fix('--write')).code).toBe(0);
    expect(read('generated/client.js')).toBe(APP);
  });

  it('submodules, which are other repositories', async () => {
    const library = shop({ 'app.js': APP });
    const { fix, git, read } = shop({ 'app.js': APP });
    git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library.folder, 'library');
    git('commit', '--quiet', '--message', 'A library');
    const { code, out } = await fix('--branch');
    expect({ code, committed: out.includes('Committed on the branch') }).toEqual({
      code: 0,
      committed: true,
    });
    expect(read('library/app.js')).toBe(APP);
    expect(read('app.js')).toContain(SIGNAL);
    expect(git('status', '--porcelain')).toBe('');
  });

  it('a repository within the repository', async () => {
    const { fix, folder, read, write } = shop({ 'app.js': APP });
    write('tools/app.js', APP);
    execFileSync('git', ['init', '--quiet'], { cwd: join(folder, 'tools') });
    await fix('--write');
    expect(read('tools/app.js')).toBe(APP);
  });

  it('links, wherever they lead', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'express-hangup-outside-'));
    writeFileSync(join(outside, 'app.js'), APP);
    const { fix, folder, commit } = shop({ 'app.js': APP, 'real/routes.js': ROUTER });
    symlinkSync(outside, join(folder, 'linked'), 'dir');
    symlinkSync(join(outside, 'app.js'), join(folder, 'linked.js'));
    symlinkSync(join(folder, 'real'), join(folder, 'again'), 'dir');
    symlinkSync(folder, join(folder, 'real', 'loop'), 'dir');
    commit();
    const { code, out } = await fix('--write', '--json');
    const { repaired } = JSON.parse(out) as { repaired: { file: string }[] };
    expect(code).toBe(0);
    expect([...new Set(repaired.map(({ file }) => file))]).toEqual(['app.js', 'real/routes.js']);
    expect(readFileSync(join(outside, 'app.js'), 'utf8')).toBe(APP);
    expect(await fix('linked.js')).toMatchObject({
      code: 2,
      err: expect.stringContaining('lies outside of') as string,
    });
    rmSync(outside, { recursive: true });
  });
});

describe('fix in workspaces', () => {
  const manifest = (name: string, more: object = {}): string =>
    JSON.stringify({ name, dependencies: { express: '^5.0.0', ...more } });

  it('gives signals only where an app of the same package, or of one that uses it, has hangup()', async () => {
    const { fix, read } = shop({
      'package.json': '{ "name": "root", "private": true, "workspaces": ["packages/*"] }',
      'packages/web/package.json': manifest('@shop/web', { '@shop/routes': '*' }),
      'packages/web/app.js': APP,
      'packages/routes/package.json': manifest('@shop/routes'),
      'packages/routes/orders.js': ROUTER,
      'packages/other/package.json': manifest('@shop/other'),
      'packages/other/orders.js': ROUTER,
    });
    const { out } = await fix('--write');
    expect(read('packages/web/app.js')).toContain(SIGNAL);
    expect(read('packages/routes/orders.js')).toContain(SIGNAL);
    expect(read('packages/other/orders.js')).toBe(ROUTER);
    expect(out).toContain('No file of packages/other makes an app (express())');
  });

  it('knows the version of Express that each package asks for', async () => {
    const { fix, read } = shop({
      'packages/old/package.json': '{ "name": "old", "dependencies": { "express": "^4.18.0" } }',
      'packages/old/app.js': APP,
      'packages/new/package.json': manifest('new'),
      'packages/new/app.js': APP,
    });
    await fix('--write');
    expect(read('packages/old/app.js')).toContain('forwardErrors(async (req, res)');
    expect(read('packages/new/app.js')).not.toContain('forwardErrors');
  });

  it('works from a folder of one package, and leaves the others', async () => {
    const { fix, read } = shop({
      'packages/a/package.json': manifest('a'),
      'packages/a/app.js': APP,
      'packages/b/package.json': manifest('b'),
      'packages/b/app.js': APP,
    });
    await fix('packages/a', '--write');
    expect(read('packages/a/app.js')).toContain(SIGNAL);
    expect(read('packages/b/app.js')).toBe(APP);
  });
});

describe('fix in an app of several files', () => {
  it('mounts on the app that the others are parts of, and not on each', async () => {
    const part = `import express from 'express';\nconst app = express();\n${ROUTE}export { app as handlers };\n`;
    const { fix, read } = shop({
      'package.json': MANIFEST.replace('{', '{ "type": "module",'),
      'app.js': `import express from 'express';
import * as orders from './orders.js';
import { handlers as users } from './users.js';
const app = express();
app.use('/shop', orders.handlers);
app.use('/shop', users);
export default app;
`,
      'orders.js': part,
      'users.js': part,
    });
    await fix('--write');
    expect(read('app.js')).toContain('app.use(hangup());');
    expect(read('app.js')).toContain('app.use(gatewayErrorHandler());');
    for (const file of ['orders.js', 'users.js'])
      expect(read(file)).toBe(part.replace("/orders')", `/orders', ${SIGNAL})`));
  });

  const CATCHING = `const express = require('express');
const app = express();
app.get('/orders', async (req, res) => {
  try {
    res.json(await (await fetch('http://127.0.0.1:3001/orders', { signal: req.signal })).json());
  } catch (error) {
    res.status(500).render('sorry');
  }
});
`;

  it('lets faults through a catch only where gatewayErrorHandler() takes them', async () => {
    const seen = shop({ 'app.js': `${CATCHING}module.exports = app;\n` });
    await seen.fix('--write');
    expect(seen.read('app.js')).toContain('if (classifyError(error, req)) throw error;');
    // The routes that another function adds may come before or after it: nobody sees which.
    const unseen = shop({
      'app.js': `${CATCHING}function more() {\n  app.get('/more', more);\n}\nmodule.exports = { app, more };\n`,
    });
    const { out } = await unseen.fix('--write');
    expect(unseen.read('app.js')).toContain('app.use(hangup());');
    expect(unseen.read('app.js')).not.toContain('classifyError');
    expect(out).toContain('catch-hides-fault');
  });
});

describe('fix writes in the style of', () => {
  it('a package of type module, also in a file without an import', async () => {
    const dynamic = APP.replace("require('express')", "(await import('express')).default").replace(
      'module.exports = app',
      'globalThis.app = app',
    );
    const { fix, read } = shop({
      'package.json': MANIFEST.replace('{', '{ "type": "module",'),
      'app.js': dynamic,
    });
    await fix('--write');
    expect(read('app.js')).toContain("import { hangup, gatewayErrorHandler } from 'express-hangup';");
    expect(read('app.js')).not.toContain('require');
  });

  it('a CommonJS file that makes its app between its requires: the import comes before its first use', async () => {
    const between = APP.replace(
      'module.exports',
      "const orders = require('./orders');\napp.use(orders);\nmodule.exports",
    );
    const { fix, read, folder, write } = shop({ 'app.js': between, 'orders.js': ROUTER });
    await fix('--write');
    const text = read('app.js');
    expect(text.indexOf("require('express-hangup')")).toBeLessThan(text.indexOf('hangup()'));
    // Run with doubles of both packages: a name that is used before it is declared would throw.
    write(
      'node_modules/express/index.js',
      'const app = () => app;\napp.use = app.get = app.Router = app;\nmodule.exports = app;\n',
    );
    write(
      'node_modules/express-hangup/index.js',
      'exports.hangup = exports.gatewayErrorHandler = () => () => {};\n',
    );
    expect(execFileSync(process.execPath, ['app.js'], { cwd: folder, encoding: 'utf8' })).toBe('');
  });

  it('a CommonJS file with a line that begins with import()', async () => {
    const { fix, read } = shop({
      'app.js': `${APP}\nimport('./later.mjs').then((later) => later.start());\n`,
    });
    await fix('--write');
    expect(read('app.js')).toContain("const { hangup, gatewayErrorHandler } = require('express-hangup');");
  });

  it('TypeScript with `import … = require()`', async () => {
    const { fix, read } = shop({
      'app.ts': APP.replace('const express = ', 'import express = ').replace(
        'module.exports = app',
        'export = app',
      ),
    });
    await fix('--write');
    expect(read('app.ts')).toContain(
      "import express = require('express');\nimport { hangup, gatewayErrorHandler } from 'express-hangup';",
    );
  });

  it.each(['page.jsx', 'page.tsx'])('a server that renders components: %s', async (file) => {
    const { fix, read } = shop({
      [file]: `import express from 'express';
const app = express();
app.get('/', async (req, res) => {
  const data = await (await fetch('http://127.0.0.1:3001/orders')).json();
  res.send(renderToString(<Page data={data} onClose={() => fetch('/closed')} />));
});
export default app;
`,
    });
    await fix('--write');
    expect(read(file)).toContain("fetch('http://127.0.0.1:3001/orders', { signal: req.signal })");
    expect(read(file)).toContain("fetch('/closed')}");
  });

  it('tabs, with the options of a call over several lines', async () => {
    const tall = ROUTE.replace("orders');", "orders', {\n\theaders: { accept: 'text/html' },\n  });");
    const { fix, read } = shop({ 'app.js': APP.replace(ROUTE, tall.replaceAll('  ', '\t')) });
    await fix('--write');
    expect(read('app.js')).toContain("\theaders: { accept: 'text/html' },\n\tsignal: req.signal,\n\t});");
  });
});

describe('fix reads', () => {
  it('a file of more than ten thousand lines, and repairs each of its handlers', async () => {
    const routes = Array.from(
      { length: 500 },
      (_, at) => `${ROUTE.replace('/orders', `/orders/${at}`)}${'// …\n'.repeat(18)}`,
    );
    const { fix, read } = shop({ 'app.js': APP.replace(ROUTE, routes.join('')) });
    const { code, out } = await fix('--write');
    expect(code).toBe(0);
    expect(out).toContain('502 repairs in 1 file');
    expect(read('app.js').split('\n').length).toBeGreaterThan(10_000);
    expect(read('app.js').match(/signal: req\.signal/g)).toHaveLength(500);
  });

  it('no file that is not UTF-8, or is too long to be written by hand, and says so', async () => {
    const { fix, folder, git, read } = shop({
      'app.js': APP,
      'long.js': `${APP}//${' '.repeat(1_000_000)}\n`,
    });
    writeFileSync(
      join(folder, 'latin.js'),
      Buffer.concat([Buffer.from(`${APP}// caf`), Buffer.from([0xe9, 0x0a])]),
    );
    git('add', '--all');
    git('commit', '--quiet', '--message', 'Latin');
    const { out } = await fix('--write');
    expect(out).toMatch(
      /Not read\n {2}latin\.js {2}it is not text in UTF-8\n {2}long\.js {2}it is longer than/,
    );
    expect(read('app.js')).toContain(SIGNAL);
  });

  it('what is named, also in a folder that is left out, and what a comment of ESLint turns off it leaves', async () => {
    const off = APP.replace(
      '  const answer',
      '  // eslint-disable-next-line express-hangup/call-without-signal\n  const answer',
    );
    const { fix, folder } = shop({ 'app.js': off, 'build/app.js': APP });
    mkdirSync(join(folder, 'empty'));
    expect((await fix()).out).not.toContain('  call-without-signal');
    expect((await fix('build/app.js')).out).toContain('+++ b/build/app.js');
    expect((await fix('empty')).out).toContain('0 repairs in 0 files');
    expect(existsSync(join(folder, 'empty'))).toBe(true);
  });
});
