// What the kit and other tools make of each fault, as two callers see it: the table in docs/testing.md is what this has seen.
// `node tests/testing/beside-others.test.mjs --print` prints the table.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { tools, versionOf } from './beside/tools.mjs';

const FAULTS = ['hang', 'reset', 'close', 'close-body', 'garbage', 'refuse', 'stale'];
const DOCUMENT = await readFile(new URL('../../../docs/testing.md', import.meta.url), 'utf8');

async function columnOf({ name }) {
  const script = join(import.meta.dirname, 'beside/run.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, name], { timeout: 60_000 });
  return JSON.parse(stdout);
}

async function print() {
  const runnable = tools.filter(({ why }) => why === undefined);
  const columns = [];
  for (const tool of runnable) columns.push(await columnOf(tool));
  console.log(`| fault | ${runnable.map(({ name }) => name).join(' | ')} |`);
  console.log(`| --- |${' --- |'.repeat(columns.length)}`);
  for (const [i, fault] of FAULTS.entries())
    console.log(`| \`${fault}\` | ${columns.map((cells) => cells[i]).join(' | ')} |`);
}

/** The column of a tool in the document. */
function documented(name) {
  const rows = DOCUMENT.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const head = rows.findIndex((row) => row[1] === 'fault' && row.includes(name));
  assert.ok(head >= 0, `docs/testing.md has no column "${name}"`);
  const at = rows[head].indexOf(name);
  return FAULTS.map((fault) => rows.slice(head).find((row) => row[1] === `\`${fault}\``)?.[at]);
}

if (process.argv.includes('--print')) await print();
else {
  for (const tool of tools) {
    test(`docs/testing.md says of ${tool.name} what it did here`, { skip: tool.why ?? false }, async () => {
      assert.deepEqual(documented(tool.name), await columnOf(tool));
    });
  }

  test('docs/testing.md names the versions that were run', () => {
    for (const { name, version } of tools)
      if (version !== undefined)
        assert.ok(DOCUMENT.replace(/\s+/g, ' ').includes(`${name} ${version}`), `${name} ${version}`);
  });

  const said = async (tool, kind) => {
    const script = join(import.meta.dirname, 'beside/leaks.mjs');
    return (await promisify(execFile)(process.execPath, [script, tool, kind], { timeout: 60_000 })).stdout;
  };

  test('watchLeaks() names each call that goes on, and nothing where there is none', async () => {
    const leaky = await said('watchLeaks()', 'leaky');
    assert.equal(leaky.match(/leaks\.mjs:12/g)?.length, 3);
    assert.equal(await said('watchLeaks()', 'right'), 'nothing\n');
  });

  const skip = versionOf('why-is-node-running') ? false : 'why-is-node-running is not installed';
  test(
    'why-is-node-running lists the handles of a right app as well as of a leaky one',
    { skip },
    async () => {
      for (const kind of ['leaky', 'right'])
        assert.match(
          await said('why-is-node-running', kind),
          /There are \d\d handle\(s\) keeping the process/,
        );
    },
  );
}
