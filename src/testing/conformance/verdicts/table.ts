import type { ConformanceCell } from '../cell';
import { conformanceSummary, folded } from './summary';

const MARK = { right: '✓', wrong: '✗', unseen: '·', flaky: '~' } as const;

/** The columns in short, so that a table is no wider than a terminal. */
const SHORT: Record<ConformanceCell['client'], string> = {
  stays: 'stays',
  'leaves-fin': 'fin',
  'leaves-rst': 'rst',
  'leaves-in-response': 'in-response',
  'leaves-in-request': 'in-request',
  'two-at-once': 'two',
  'one-after-another': 'series',
};

/** The matrix as text, 80 columns wide: a table for each method, and below what is wrong, by cause. */
export function conformanceTable(
  title: string,
  cells: readonly ConformanceCell[],
  vacuous: string | undefined,
): string {
  const methods = unique(cells.map(({ method }) => method));
  const tables = methods.map((method) =>
    tableOf(
      method,
      cells.filter((cell) => cell.method === method),
    ),
  );
  const unseen = unique(cells.filter(({ verdict }) => verdict === 'unseen').map(({ why }) => why));
  const hidden = unseen.map((why) => folded(`· ${countOf(cells, why)} cells could not be seen: ${why}`));
  const summary = conformanceSummary(cells, vacuous);
  const isRight = cells.every(({ verdict }) => verdict === 'right');
  return [
    title,
    ...tables,
    ...hidden,
    ...(summary === '' ? [] : [summary]),
    ...(isRight ? ['All cells are right.'] : []),
  ].join('\n\n');
}

function tableOf(method: string, cells: readonly ConformanceCell[]): string {
  const columns = unique(cells.map(columnOf)).sort(
    (a, b) => Number(a.includes('#')) - Number(b.includes('#')),
  );
  const rows = unique(cells.map(({ fault }) => fault));
  const width = Math.max(...rows.map((row) => row.length), method.length);
  const head = `${method.padEnd(width)}  ${columns.join('  ')}`;
  const lines = rows.map((row) => {
    const marks = columns.map((column) => {
      const cell = cells.find((candidate) => candidate.fault === row && columnOf(candidate) === column);
      return (cell ? MARK[cell.verdict] : ' ').padEnd(column.length);
    });
    return `${row.padEnd(width)}  ${marks.join('  ')}`.trimEnd();
  });
  return [head, ...lines].join('\n');
}

/** `fin`, and `fin#2` where only the second call fails. */
function columnOf({ client, call }: ConformanceCell): string {
  return `${SHORT[client]}${call === undefined ? '' : `#${call}`}`;
}

function countOf(cells: readonly ConformanceCell[], reason: string): number {
  return cells.filter(({ verdict, why }) => verdict === 'unseen' && why === reason).length;
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
