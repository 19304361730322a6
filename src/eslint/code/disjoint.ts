import type { Edit } from '../calls/add-signal';

/**
 * Edits in the order of the text, without those that lie within a removal. `undefined` where two contradict each other: then
 * nothing is repaired, rather than something wrong.
 */
export function disjoint(edits: readonly Edit[]): Edit[] | undefined {
  const ordered = [...edits].sort((a, b) => a.range[0] - b.range[0] || b.range[1] - a.range[1]);
  const kept: Edit[] = [];
  for (const edit of ordered) {
    const before = kept.at(-1);
    if (before === undefined || edit.range[0] >= before.range[1]) kept.push(edit);
    else if (before.text !== '' || edit.range[1] > before.range[1]) return undefined;
  }
  return kept;
}
