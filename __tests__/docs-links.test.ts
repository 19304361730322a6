import { brokenLinksOf, DOCUMENTS } from './fixtures/documents';

describe('the documents', () => {
  it.each(DOCUMENTS)('link only to files and headings that exist: %s', (path) => {
    expect(brokenLinksOf(path)).toEqual([]);
  });
});
