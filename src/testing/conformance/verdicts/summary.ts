import { columnOf } from './answer-rules';
import type { ConformanceCell } from '../cell';
import { hintFor } from './hints';

const WIDTH = 80;

/** A group of cells with the same complaint. */
interface Cause {
  cause: string;
  cells: ConformanceCell[];
}

/** What is wrong, sorted by cause, with the cells, a hint and where to read more; 80 columns wide. */
export function conformanceSummary(cells: readonly ConformanceCell[], vacuous: string | undefined): string {
  const parts = causesOf(cells).map(paragraph);
  const flaky = cells.filter(({ verdict }) => verdict === 'flaky');
  if (flaky.length > 0)
    parts.push(
      folded(
        `~ ${countOf(flaky.length)} flaky: wrong once, and right when played again alone. A busy machine does that; if it stays, the app is at a race: ${listed(flaky)}.`,
      ),
    );
  if (vacuous !== undefined) parts.push(folded(`! ${vacuous}`));
  return parts.join('\n\n');
}

/** The causes, the most frequent one first. A cell counts for its first. */
export function causesOf(cells: readonly ConformanceCell[]): Cause[] {
  const groups = new Map<string, ConformanceCell[]>();
  for (const cell of cells) {
    const [cause] = cell.causes;
    if (cell.verdict === 'wrong' && cause !== undefined)
      groups.set(cause, [...(groups.get(cause) ?? []), cell]);
  }
  return [...groups]
    .map(([cause, group]) => ({ cause, cells: group }))
    .sort((a, b) => b.cells.length - a.cells.length);
}

function paragraph({ cause, cells }: Cause): string {
  const { advice, link } = hintFor(cause);
  const [first] = cells;
  const said = folded(`✗ ${countOf(cells.length)}: ${first?.why}`);
  return [said, folded(listed(cells), '    '), folded(advice, '  → '), `    ${link}`].join('\n');
}

function countOf(count: number): string {
  return count === 1 ? '1 cell' : `${count} cells`;
}

function listed(cells: readonly ConformanceCell[]): string {
  const most = 6;
  const names = cells.slice(0, most).map((cell) => `${cell.fault} ${columnOf(cell)}`);
  return names.join(', ') + (cells.length > most ? ` and ${cells.length - most} more` : '');
}

/** Folds a text at spaces; further lines are indented below the first word. */
export function folded(text: string, first = ''): string {
  const indent = ' '.repeat(first.length === 0 ? 2 : first.length);
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(' ')) {
    const glued = line === first || line === indent ? line + word : `${line} ${word}`;
    if (glued.length > WIDTH && line.trim() !== '') {
      lines.push(line);
      line = indent + word;
    } else line = glued;
  }
  return [...lines, line].join('\n');
}
