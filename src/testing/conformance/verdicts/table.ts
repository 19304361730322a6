import { columnOf } from './answer-rules';
import type { ConformanceCell } from '../cell';

const MARK = { right: '✓', wrong: '✗', unseen: '·', flaky: '~' } as const;

/** The matrix as text: a mark for each cell, and a line for each that is wrong or could not be seen. */
export function conformanceTable(title: string, cells: readonly ConformanceCell[]): string {
  const columns = unique(cells.map(columnOf));
  const rows = unique(cells.map(({ fault }) => fault));
  const width = Math.max(...rows.map((row) => row.length), 8);
  const head = `${' '.repeat(width)}  ${columns.join('  ')}`;
  const lines = rows.map((row) => {
    const marks = columns.map((column) => {
      const cell = cells.find((candidate) => candidate.fault === row && columnOf(candidate) === column);
      return (cell ? MARK[cell.verdict] : ' ').padEnd(column.length);
    });
    return `${row.padEnd(width)}  ${marks.join('  ')}`.trimEnd();
  });
  return [title, '', head, ...lines, ...remarks(cells)].join('\n');
}

function remarks(cells: readonly ConformanceCell[]): string[] {
  const wrong = cells.filter(({ verdict }) => verdict === 'wrong');
  const unseen = unique(cells.filter(({ verdict }) => verdict === 'unseen').map(({ why }) => why));
  const said = wrong.map((cell) => `✗ ${cell.fault}, ${columnOf(cell)}: ${cell.why}`);
  const hidden = unseen.map((why) => `· ${countOf(cells, why)} cells could not be seen: ${why}`);
  return said.length + hidden.length === 0 ? ['', 'All cells are right.'] : ['', ...said, ...hidden];
}

function countOf(cells: readonly ConformanceCell[], reason: string): number {
  return cells.filter(({ verdict, why }) => verdict === 'unseen' && why === reason).length;
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
