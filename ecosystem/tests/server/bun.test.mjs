// drainable() on the real Bun, whose http.Server is no net.Server.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const bun = ['bun-linux-x64', 'bun-linux-x64-baseline']
  .map((name) => join(root, 'node_modules/@oven', name, 'bin/bun'))
  .find((path) => existsSync(path));

test(
  'drainable() on Bun answers what is in flight at SIGTERM, and the process ends',
  { skip: bun === undefined && 'Bun is not installed' },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'express-hangup-bun-'));
    const file = join(directory, 'server.mjs');
    writeFileSync(
      file,
      `import express from ${JSON.stringify(fileURLToPath(import.meta.resolve('express')))};
import { drainable } from ${JSON.stringify(fileURLToPath(import.meta.resolve('express-hangup')))};
const app = express();
app.get('/slow', (req, res) => { console.log('held'); setTimeout(() => res.send('whole'), 500); });
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
drainable(server, { timeout: 3000, force: 4000, onDrained: (report) => console.log(JSON.stringify(report)) });
`,
    );
    const child = spawn(bun, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const lines = [];
    let answer;
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      for (const line of chunk.split('\n').filter(Boolean)) {
        lines.push(line);
        if (lines.length === 1)
          answer = fetch(`http://127.0.0.1:${line}/slow`).then((response) => response.text());
        if (line === 'held') child.kill('SIGTERM');
      }
    }
    assert.equal(await answer, 'whole');
    assert.deepEqual(await exited, [0, null]);
    assert.equal(JSON.parse(lines.at(-1)).forced, 0);
    rmSync(directory, { recursive: true });
  },
);
