/** Lines of context around a change, as `git diff` has them. */
const CONTEXT = 3;

export interface Line {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** The unified diff of two texts; the empty text where they are the same. */
export function unifiedDiff(name: string, before: string, after: string): string {
  if (before === after) return '';
  const hunks = hunksOf(comparedLines(before, after));
  return `--- a/${name}\n+++ b/${name}\n${hunks.join('')}`;
}

/** The lines of two texts: those of both, those of the first only (`-`), and those of the second only. */
export function comparedLines(before: string, after: string): Line[] {
  return compared(linesOf(before), linesOf(after));
}

/** The lines with their ends: the last may have none, which a diff has to say. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Myers' greedy algorithm, between the parts that both texts begin and end with. */
function compared(before: readonly string[], after: readonly string[]): Line[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const same = (text: string): Line => ({ sign: ' ', text });
  return [
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

function middle(before: readonly string[], after: readonly string[]): Line[] {
  const trace: Map<number, number>[] = [];
  let reached = new Map([[1, 0]]);
  for (let steps = 0; steps <= before.length + after.length; steps += 1) {
    trace.push(new Map(reached));
    const next = new Map(reached);
    for (let k = -steps; k <= steps; k += 2) {
      const isDown = k === -steps || (k !== steps && (reached.get(k - 1) ?? -1) < (reached.get(k + 1) ?? -1));
      let x = isDown ? (reached.get(k + 1) ?? 0) : (reached.get(k - 1) ?? 0) + 1;
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x += 1;
      next.set(k, x);
      if (x >= before.length && x - k >= after.length) return walkedBack(trace, before, after);
    }
    reached = next;
  }
  return [];
}

function walkedBack(
  trace: readonly Map<number, number>[],
  before: readonly string[],
  after: readonly string[],
): Line[] {
  const lines: Line[] = [];
  let [x, y] = [before.length, after.length];
  for (let steps = trace.length - 1; steps >= 0; steps -= 1) {
    const reached = trace[steps] ?? new Map<number, number>();
    const k = x - y;
    const isDown = k === -steps || (k !== steps && (reached.get(k - 1) ?? -1) < (reached.get(k + 1) ?? -1));
    const fromK = isDown ? k + 1 : k - 1;
    const fromX = reached.get(fromK) ?? 0;
    const fromY = fromX - fromK;
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      lines.push({ sign: ' ', text: before[(x -= 1)] ?? '' });
      y -= 1;
    }
    if (steps === 0) break;
    if (isDown) lines.push({ sign: '+', text: after[(y -= 1)] ?? '' });
    else lines.push({ sign: '-', text: before[(x -= 1)] ?? '' });
  }
  return lines.reverse();
}

function hunksOf(lines: readonly Line[]): string[] {
  const hunks: string[] = [];
  let at = lines.findIndex(({ sign }) => sign !== ' ');
  while (at !== -1) {
    const start = Math.max(0, at - CONTEXT);
    let end = at;
    for (let next = at; next < lines.length && next <= end + 2 * CONTEXT; next += 1)
      if (lines[next]?.sign !== ' ') end = next;
    const stop = Math.min(lines.length, end + CONTEXT + 1);
    hunks.push(hunk(lines, start, stop));
    const further = lines.slice(stop).findIndex(({ sign }) => sign !== ' ');
    at = further === -1 ? -1 : stop + further;
  }
  return hunks;
}

function hunk(lines: readonly Line[], start: number, stop: number): string {
  const count = (part: readonly Line[], other: '-' | '+'): number =>
    part.filter(({ sign }) => sign !== other).length;
  const [head, body] = [lines.slice(0, start), lines.slice(start, stop)];
  const place = (other: '-' | '+'): string => {
    const size = count(body, other);
    return `${count(head, other) + (size > 0 ? 1 : 0)},${size}`;
  };
  return `@@ -${place('+')} +${place('-')} @@\n${body.map(shown).join('')}`;
}

function shown({ sign, text }: Line): string {
  return text.endsWith('\n') ? `${sign}${text}` : `${sign}${text}\n\\ No newline at end of file\n`;
}
