import { comparedLines } from './diff';
import type { LintMessage } from './project/partners';

/** A change of a text. */
export interface Change {
  readonly range: readonly [number, number];
  readonly text: string;
}

/** The offset in a text at which a message stands. */
export function offsetOf({ line, column }: LintMessage, text: string): number {
  let start = 0;
  for (let at = 1; at < line; at += 1) start = text.indexOf('\n', start) + 1;
  return start + column - 1;
}

/** The same change in parts that are as small as may be: ESLint makes one of all edits of a repair, from the first to the last. */
export function inParts({ range, text: given }: Change, whole: string): Change[] {
  const parts: Change[] = [];
  let [at, old, put] = [range[0], '', ''];
  const end = (): void => {
    if (old !== put) parts.push(trimmed(at, old, put));
    at += old.length;
    [old, put] = ['', ''];
  };
  for (const { sign, text } of comparedLines(whole.slice(...range), given)) {
    if (sign === '-') old += text;
    else if (sign === '+') put += text;
    else {
      end();
      at += text.length;
    }
  }
  end();
  return parts;
}

/** A replacement without what both texts begin and end with. */
function trimmed(at: number, old: string, put: string): Change {
  const most = Math.min(old.length, put.length);
  let head = 0;
  while (head < most && old[head] === put[head]) head += 1;
  let tail = 0;
  while (tail < most - head && old.at(-1 - tail) === put.at(-1 - tail)) tail += 1;
  return { range: [at + head, at + old.length - tail], text: put.slice(head, put.length - tail) };
}

/** Where an offset of the changed text was in the first one. What was put in counts as the place where it was put. */
export function originalOffset(offset: number, passes: readonly Change[][]): number {
  let at = offset;
  for (const changes of passes.toReversed()) {
    let shift = 0;
    for (const { range, text } of changes) {
      const start = range[0] + shift;
      if (at < start) break;
      if (at < start + text.length) {
        // Within a change: its unchanged beginning still tells the place.
        shift = Math.max(0, at - start - (range[1] - range[0]));
        at -= shift;
        shift = start - range[0];
        break;
      }
      shift += text.length - (range[1] - range[0]);
    }
    at -= shift;
  }
  return at;
}
