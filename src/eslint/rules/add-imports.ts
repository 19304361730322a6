import { afterImports, importEdit, joined, OUR_NAMES } from '../code/imports';
import type { Node, Source } from '../code/node';
import { rule } from '../rule';
import { guardLine } from './guard-async-handler';

/** Adds the imports of names that repairs have brought into a file. Not a rule for users: `fix` runs it last. */
export const addImports = rule(
  { description: 'Names that repairs use are imported', messages: { missing: 'Import {{names}}.' } },
  ({ source, filename, report }) => ({
    'Program:exit': (program) => {
      const uses = unresolved(source);
      const unknown = new Set(uses.map(({ name }) => name ?? ''));
      const before = Math.min(...uses.filter(({ name = '' }) => OURS.has(name)).map(({ range }) => range[0]));
      const byModule = new Map<string, [string, string][]>();
      for (const [name, { from, alias }] of Object.entries(OUR_NAMES))
        for (const local of [name, alias])
          if (unknown.has(local)) byModule.set(from, [...(byModule.get(from) ?? []), [name, local]]);
      const edits = [...byModule].map(([from, names]) => importEdit(names, from, source, before));
      const guard = GUARDS.find((name) => unknown.has(name));
      if (guard !== undefined)
        edits.push(afterImports(guardLine(source, filename).replace('forwardErrors', guard), source, before));
      if (edits.length > 0)
        report({
          node: program,
          messageId: 'missing',
          data: { names: [...unknown].join(', ') },
          fix: joined(edits),
        });
    },
  }),
);

const GUARDS = ['forwardErrors', 'handErrorsOn'];
const OURS = new Set([...GUARDS, ...Object.entries(OUR_NAMES).flatMap(([name, { alias }]) => [name, alias])]);

/** The identifiers that nothing in the file declares. */
function unresolved(source: Source): Node[] {
  return (source.scopeManager?.globalScope?.through ?? []).map(({ identifier }) => identifier);
}
