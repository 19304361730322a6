import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packedProject } from './packed-project';

const ENTRIES = ['index', 'proxy', 'upstream', 'pg', 'mysql2', 'diagnose', 'testing', 'eslint'];

/** The names that a declaration file exports, but for those that it exports as types alone. */
function declaredValues(text: string): string[] {
  return [...text.matchAll(/^export \{ (.*?) \}/gm)]
    .flatMap(([, names = '']) => names.split(', '))
    .map((name) => name.replace(/^.* as /, ''));
}

describe('the declarations of the package', () => {
  it.each(ENTRIES)('promise of %s the values that it exports, and no other', (entry) => {
    const file = join(packedProject().installed, 'dist', entry);
    const values = createRequire(file)(`${file}.js`) as object;
    expect(declaredValues(readFileSync(`${file}.d.ts`, 'utf8')).sort()).toEqual(Object.keys(values).sort());
  });

  it('hold nothing that only the package itself uses', () => {
    const text = readFileSync(join(packedProject().installed, 'dist/index.d.ts'), 'utf8');
    expect(text).not.toMatch(/@internal|\bLifetime\b/);
  });
});
