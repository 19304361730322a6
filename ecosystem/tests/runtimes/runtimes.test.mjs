// The core on Node, Bun and Deno, with Express 5, 4 and 4.18; the table of docs/runtimes.md is compared with what was seen.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { FEATURES } from './features.mjs';
import { RUNTIMES, RuntimeApp } from './runtimes.mjs';

const EXPRESSES = { 'Express 5': 'express', 'Express 4': 'express4', 'Express 4.18': 'express418' };
const documented = readTable(readFileSync(new URL('../../../docs/runtimes.md', import.meta.url), 'utf8'));

/** Feature by feature, what the page says of each runtime. */
function readTable(page) {
  const [table] = /^(\|.*\n)+/m.exec(page);
  const rows = table.trimEnd().split('\n');
  const [head, , ...body] = rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
  return new Map(
    body.map(([feature, ...words]) => [
      feature.replaceAll('`', ''),
      Object.fromEntries(words.map((word, at) => [head[at + 1], word])),
    ]),
  );
}

test('docs/runtimes.md lists exactly the features that are tried, for each runtime', () => {
  assert.deepEqual([...documented.keys()], Object.keys(FEATURES));
  for (const words of documented.values()) assert.deepEqual(Object.keys(words), Object.keys(RUNTIMES));
});

for (const [runtime, command] of Object.entries(RUNTIMES)) {
  for (const [name, express] of Object.entries(EXPRESSES)) {
    describe(
      `${name} on ${runtime}`,
      { skip: command === undefined && `${runtime} is not installed` },
      () => {
        let app;
        before(async () => {
          app = await RuntimeApp.start(command, express);
        });
        after(() => app?.child.kill('SIGKILL'));
        for (const [feature, look] of Object.entries(FEATURES)) {
          test(`${feature}: as documented, with ${name} on ${runtime}`, { timeout: 20_000 }, async () => {
            assert.equal(await look(app), documented.get(feature)[runtime]);
          });
        }
      },
    );
  }
}
