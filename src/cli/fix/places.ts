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
