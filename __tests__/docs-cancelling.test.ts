import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..');
const TESTS = join(ROOT, 'ecosystem/tests/cancelling');

/** The lines of the page's tables: what each row tells its reader to write. */
function linesOfPage(): string[] {
  return readFileSync(join(ROOT, 'docs/cancelling.md'), 'utf8')
    .split('\n')
    .flatMap((text) => /^\| [^|]+ \| `([^`]+)` \|/.exec(text)?.[1] ?? []);
}

describe('docs/cancelling.md', () => {
  it('has a test with real packages for each line that it gives', () => {
    const tests = readdirSync(TESTS)
      .map((name) => readFileSync(join(TESTS, name), 'utf8').replaceAll("\\'", "'"))
      .join('\n');
    const lines = linesOfPage();
    expect(lines.length).toBeGreaterThan(30);
    // The Redis test goes on where a row ends: it shows what is not taken back.
    const others = ['client.withAbortSignal(req.signal).get(key)'];
    expect(lines.filter((line) => !tests.includes(line))).toEqual(others);
    expect(tests).toContain('.withAbortSignal(early.signal)');
  });
});
