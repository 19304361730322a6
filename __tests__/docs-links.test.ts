import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { brokenLinksOf, documentText, DOCUMENTS } from './fixtures/documents';

describe('the documents', () => {
  it.each(DOCUMENTS)('link only to files and headings that exist: %s', (path) => {
    expect(brokenLinksOf(path)).toEqual([]);
  });

  it('name only files of src that exist: docs/how-it-works.md', () => {
    const files = [
      ...documentText('docs/how-it-works.md').matchAll(/`([a-z][\w-]*\/(?:[\w./-]+\.ts|))`/g),
    ].map(([, file = '']) => file);
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => !existsSync(join(__dirname, '../src', file)))).toEqual([]);
  });
});
