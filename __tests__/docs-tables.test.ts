import { documentText, DOCUMENTS } from './fixtures/documents';

/** The lines of a document outside of its blocks of code, each with its number. */
function linesOf(path: string): [line: string, at: string][] {
  const text = documentText(path).replace(/^( *)```[^]*?^ *```$/gm, (block) => block.replace(/.+/g, ''));
  return text.split('\n').map((line, at) => [line, `${path}:${at + 1}`]);
}

const cellsOf = (row: string): number => row.replaceAll('\\|', '').split('|').length - 2;

describe('the tables of the documents', () => {
  it.each(DOCUMENTS)('have as many cells in each row, and end where their lines do: %s', (path) => {
    let width = 0;
    const wrong: string[] = [];
    for (const [line, at] of linesOf(path)) {
      const isRow = line.startsWith('|');
      if (isRow && width !== 0 && cellsOf(line) !== width) wrong.push(`${at} has ${cellsOf(line)} cells`);
      // Markdown takes a line that follows at once for one more row.
      if (!isRow && width !== 0 && line.trim() !== '') wrong.push(`${at} stands in the table`);
      width = !isRow ? 0 : width === 0 ? cellsOf(line) : width;
    }
    expect(wrong).toEqual([]);
  });
});
