/** What stands in one place of the table. */
export interface Cell {
  lines: readonly string[];
  isHonest: boolean;
}

/** Four columns in 80 characters: what was tried, and three results. */
const ABOUT_WIDTH = 17;
const CELL_WIDTH = 20;
const MARK_WIDTH = 2;

const [GREEN, RED, BOLD, DIM] = ['32', '31', '1', '2'];

/** Writes the rows of the demo, 80 columns wide, each line ending in a line break. */
export class Table {
  readonly #inColour: boolean;

  constructor(inColour: boolean) {
    this.#inColour = inColour;
  }

  /** The names of the three columns. */
  head(names: readonly string[]): string {
    const cells = names.map((name) => wrapped(name, CELL_WIDTH - MARK_WIDTH).map((line) => `  ${line}`));
    return this.#row([], cells, () => BOLD);
  }

  /** One trouble, what is wanted (nothing is said where it is empty), and what the three did. */
  row(about: string, wanted: string, cells: readonly Cell[]): string {
    const arrow = wanted === '' ? [] : wrapped(`-> ${wanted}`, ABOUT_WIDTH);
    const left = [...wrapped(about, ABOUT_WIDTH), ...arrow];
    const texts = cells.map(({ lines, isHonest }) =>
      lines
        .flatMap((line) => wrapped(line, CELL_WIDTH - MARK_WIDTH))
        .map((line, index) => `${index > 0 ? ' ' : isHonest ? '✓' : '✗'} ${line}`),
    );
    return this.#row(left, texts, (column) => (cells[column]?.isHonest === true ? GREEN : RED));
  }

  #row(left: string[], cells: string[][], colourOf: (column: number) => string): string {
    const height = Math.max(left.length, ...cells.map((lines) => lines.length));
    const lines = Array.from({ length: height }, (_, line) => {
      const about = (left[line] ?? '').padEnd(ABOUT_WIDTH);
      const rest = cells.map((cell, column) =>
        this.#painted((cell[line] ?? '').padEnd(CELL_WIDTH), colourOf(column)),
      );
      return [about.startsWith('->') ? this.#painted(about, DIM) : about, ...rest].join(' ').trimEnd();
    });
    return `${lines.join('\n')}\n`;
  }

  #painted(text: string, code: string): string {
    return this.#inColour && text.trim() !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

/** The text in lines no longer than `width`, broken between words, and within a word that is longer by itself. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').flatMap((long) => pieces(long, width))) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function pieces(word: string, width: number): string[] {
  const count = Math.max(1, Math.ceil(word.length / width));
  return Array.from({ length: count }, (_, index) => word.slice(index * width, (index + 1) * width));
}
