// What the command writes into TypeScript is checked by tsc, under the strictest options: guards around routes with types of their
// own, a `next` that was not taken, calls of several clients.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const { bin } = JSON.parse(readFileSync(join(modules, 'express-hangup/package.json'), 'utf8'));
const command = join(modules, 'express-hangup', bin['express-hangup']);

const FILES = {
  'package.json':
    '{ "name": "shop", "dependencies": { "express": "^4.18.0", "axios": "^1.0.0", "undici": "^7.0.0" } }',
  '.gitignore': 'node_modules\n',
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      ...{ module: 'nodenext', target: 'es2022', strict: true, noEmit: true, skipLibCheck: true },
      ...{ noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, noImplicitOverride: true },
      ...{ noUnusedLocals: true, noImplicitReturns: true, types: ['node'] },
    },
    include: ['*.ts'],
  }),
  'app.ts': `import express from 'express';
import { orders } from './orders';
import { create, list } from './users.controller';

export const app = express();
app.use(express.json());
app.use('/orders', orders);
app.get('/users', list);
app.post('/users', create);
`,
  'orders.ts': `import axios from 'axios';
import { Router } from 'express';
import { request } from 'undici';

interface Order {
  id: number;
}

const client = axios.create({ baseURL: 'http://127.0.0.1:3001' });
export const orders = Router();

orders.get<{ id: string }, Order>('/:id', async (req, res) => {
  const { data } = await client.get<Order>(\`/orders/\${req.params.id}\`);
  res.json(data);
});

orders.get<Record<string, never>, Order[], unknown, { page?: string }>('/', async (req, res) => {
  const { body } = await request(\`http://127.0.0.1:3001/orders?page=\${req.query.page ?? '1'}\`);
  res.json((await body.json()) as Order[]);
});

orders.delete('/:id', async (req, res) => {
  const { status } = await fetch(\`http://127.0.0.1:3001/orders/\${req.params.id}\`, { method: 'DELETE' });
  res.sendStatus(status);
});
`,
  'users.controller.ts': `import type { Request, Response } from 'express';

interface User {
  name: string;
}

export async function list(_req: Request, res: Response<User[] | { error: string }>): Promise<void> {
  try {
    const answer = await fetch('http://127.0.0.1:3001/users');
    res.json((await answer.json()) as User[]);
  } catch {
    res.status(500).json({ error: 'Something went wrong' });
  }
}

export const create = async (req: Request<object, User, User>, res: Response<User>): Promise<void> => {
  const answer = await fetch('http://127.0.0.1:3001/users', { method: 'POST', body: JSON.stringify(req.body) });
  res.status(201).json((await answer.json()) as User);
};
`,
};

function project(t) {
  const folder = mkdtempSync(join(tmpdir(), 'express-hangup-types-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(modules, join(folder, 'node_modules'), 'dir');
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  const git = (...args) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
  git('init', '--quiet');
  git('config', 'user.name', 'A Developer');
  git('config', 'user.email', 'dev@example.com');
  git('add', '--all', '*.ts', '*.json');
  git('commit', '--quiet', '--message', 'Work');
  return { folder, git };
}

function run(folder, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return { status, printed: stdout + stderr };
}

test('What fix writes into TypeScript has no error of types', (t) => {
  const { folder, git } = project(t);
  const tsc = join(modules, 'typescript/bin/tsc');
  assert.deepEqual(run(folder, tsc), { status: 0, printed: '' });
  const { status, printed } = run(folder, command, 'fix', '--write');
  assert.equal(status, 0, printed);
  assert.deepEqual(run(folder, tsc), { status: 0, printed: '' }, git('diff'));
  const orders = readFileSync(join(folder, 'orders.ts'), 'utf8');
  assert.equal(orders.match(/forwardErrors\(async/g).length, 3);
  assert.equal(orders.match(/signal: req\.signal/g).length, 3);
  const users = readFileSync(join(folder, 'users.controller.ts'), 'utf8');
  assert.equal(users.match(/signal: _?req\.signal/g).length, 2, users);
  assert.match(users, /if \(classifyError\(error, _req\)\) return next\(error\);/);
});
