// What diagnose() tells of each scenario with each real client: never anything wrong, and nearly always what is right.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playAll } from './scenarios/run.mjs';

test('no cell of the table of scenarios is wrong, and few are unknown', async () => {
  const { stdout, stderr } = await playAll('--verbose');
  const rows = stdout.trim().split('\n').slice(2);
  const cells = rows.flatMap((row) =>
    row
      .split('|')
      .slice(3, -1)
      .map((cell) => cell.trim()),
  );
  assert.ok(rows.length >= 30, `${rows.length} scenarios`);
  assert.ok(cells.length >= 30 * 8, `${cells.length} cells`);
  assert.deepEqual(
    cells.filter((cell) => !['right', 'unknown', '–'].includes(cell)),
    [],
    stderr,
  );
  assert.ok(cells.filter((cell) => cell === 'unknown').length <= cells.length / 10, stderr);
});
