import { join } from 'node:path';
import { documentText } from './fixtures/documents';
import { nativeRequire } from './fixtures/native-require';

const { draw } = nativeRequire(join(__dirname, '../scripts/draw-architecture.mjs')) as {
  draw: (text: string) => string;
};
const manifest = JSON.parse(documentText('package.json')) as Record<string, any>;

describe('the picture of the architecture', () => {
  it('is drawn from its text: node scripts/draw-architecture.mjs', () => {
    expect(draw(documentText('docs/architecture.txt'))).toBe(documentText('docs/architecture.svg'));
  });

  it.each(['README.md', 'docs/how-it-works.md'])('is shown in %s', (path) => {
    expect(documentText(path)).toMatch(/!\[.+\]\((docs\/)?architecture\.svg\)/);
  });
});

describe('the badges of the README', () => {
  const badges = [
    ...documentText('README.md').matchAll(
      /!\[[^\]]+\]\(https:\/\/img\.shields\.io\/badge\/(\w+)-(\S+)-\w+\)/g,
    ),
  ];
  const shown = Object.fromEntries(
    badges.map(([, name = '', value = '']) => [name, decodeURIComponent(value)]),
  );

  it('say what package.json says', () => {
    expect(shown).toEqual({
      node: (manifest['engines'] as { node: string }).node.replace('>=', '≥ '),
      types: manifest['types'] === undefined ? 'missing' : 'included',
      dependencies: String(Object.keys((manifest['dependencies'] ?? {}) as object).length),
      license: manifest['license'],
    });
  });
});
