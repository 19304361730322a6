import { afterImports, importEdit, joined, OUR_NAMES } from '../code/imports';
import { rule } from '../rule';
import { guardLine } from './guard-async-handler';

/** Adds the imports of names that repairs have brought into a file. Not a rule for users: `fix` runs it last. */
export const addImports = rule(
  { description: 'Names that repairs use are imported', messages: { missing: 'Import {{names}}.' } },
  ({ source, filename, report }) => ({
    'Program:exit': (program) => {
      const unknown = new Set(unresolved(source));
      const byModule = new Map<string, [string, string][]>();
      for (const [name, { from, alias }] of Object.entries(OUR_NAMES))
        for (const local of [name, alias])
          if (unknown.has(local)) byModule.set(from, [...(byModule.get(from) ?? []), [name, local]]);
      const edits = [...byModule].map(([from, names]) => importEdit(names, from, source));
      const guard = ['forwardErrors', 'handErrorsOn'].find((name) => unknown.has(name));
      if (guard !== undefined)
        edits.push(afterImports(guardLine(source, filename).replace('forwardErrors', guard), source));
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

function unresolved(source: Parameters<typeof importEdit>[2]): string[] {
  const scope = source.scopeManager?.globalScope;
  return (scope?.through ?? []).flatMap(({ identifier }) => identifier.name ?? []);
}
