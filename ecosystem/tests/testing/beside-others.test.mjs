// What the kit and other tools make of each fault, as two callers see it: the table in docs/testing.md is what this has seen.
// `node tests/testing/beside-others.test.mjs --print` prints the table.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { callers } from './beside/callers.mjs';
import { hasJava, tools } from './beside/tools.mjs';

const FAULTS = ['hang', 'reset', 'close', 'close-body', 'garbage', 'refuse', 'stale'];
const DOCUMENT = new URL('../../../docs/testing.md', import.meta.url);

async function cellOf(tool, fault) {
  if (!tool.faults.includes(fault)) return '—';
  const seen = [];
  for (const caller of Object.values(callers))
    seen.push(await tool.with(fault, (url) => caller(url, fault === 'stale' ? 2 : 1)));
  return new Set(seen).size === 1 ? seen[0] : seen.join(' / ');
}

async function columnOf(tool) {
  const cells = [];
  for (const fault of FAULTS) cells.push(await cellOf(tool, fault));
  return cells;
}

const columns = [];
for (const tool of tools) columns.push({ name: tool.name, cells: await columnOf(tool) });

if (process.argv.includes('--print')) {
  console.log(`| fault | ${columns.map(({ name }) => name).join(' | ')} |`);
  console.log(`| --- |${' --- |'.repeat(columns.length)}`);
  for (const [i, fault] of FAULTS.entries())
    console.log(`| \`${fault}\` | ${columns.map(({ cells }) => cells[i]).join(' | ')} |`);
}

const rows = (await readFile(DOCUMENT, 'utf8'))
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));

for (const { name, cells } of columns) {
  test(`docs/testing.md says of ${name} what it did here`, () => {
    const head = rows.find((row) => row[0] === 'fault' && row.includes(name));
    assert.ok(head, `docs/testing.md has no column "${name}"`);
    const at = head.indexOf(name);
    const table = rows.slice(rows.indexOf(head) + 2);
    for (const [i, fault] of FAULTS.entries()) {
      const row = table.find((it) => it[0] === `\`${fault}\``);
      assert.equal(row?.[at], cells[i], `${fault}, ${name}`);
    }
  });
}

test('WireMock was run', { skip: hasJava ? false : 'Java is not installed' }, () => {
  assert.ok(columns.some(({ name }) => name.startsWith('WireMock')));
});
