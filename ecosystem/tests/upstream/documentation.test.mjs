// Every example of docs/testing-upstreams.md, run as the test file that it is.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, '../docs/testing-upstreams.md'), 'utf8');
const examples = [...page.matchAll(/```js\n\/\/ (\S+\.test\.mjs)\n(.*?)```/gs)].map(([, name, code]) => ({
  name,
  code,
}));

describe('docs/testing-upstreams.md', () => {
  const folder = mkdtempSync(join(root, 'tests/upstream/examples-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('has an example for each way, and none that is not run', () => {
    assert.deepEqual(
      examples.map(({ name }) => name),
      ['mock-agent', 'nock', 'msw', 'faulty-upstream'].map((name) => `${name}.test.mjs`),
    );
    assert.equal(page.match(/```js/g).length, examples.length);
  });

  for (const { name, code } of examples) {
    const skip =
      name.startsWith('nock') && Promise.withResolvers === undefined && 'nock 15 needs Node 22 or later';
    it(`has an example that passes: ${name}`, { skip }, () => {
      const file = join(folder, name);
      writeFileSync(file, code);
      const env = { ...process.env };
      delete env.NODE_TEST_CONTEXT;
      const { status, stdout } = spawnSync(process.execPath, ['--test', file], { encoding: 'utf8', env });
      assert.equal(status, 0, stdout);
      assert.match(stdout, /pass [1-9]/);
    });
  }
});
