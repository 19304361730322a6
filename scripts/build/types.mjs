// The declarations of the package: a file for each subpath, and files for what several of them share.
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { SUBPATHS, TARGET, refuseWarning } from './layout.mjs';

const load = createRequire(import.meta.url);

/**
 * Rolls the compiler's declarations up to those that a user can name, and writes them to `dist`.
 * @param from - The folder with the compiler's declarations, one file for each module.
 */
export async function rollTypes(from) {
  const bundle = await rollup({
    input: Object.fromEntries(
      Object.entries(SUBPATHS).map(([file, module]) => [file, join(from, `${module}.d.ts`)]),
    ),
    plugins: [
      findDeclarations,
      dts(),
      { name: 'types', renderChunk: exportTypesAsTypes },
      { name: 'tabs', renderChunk: indentByTabs },
    ],
    onLog: refuseWarning,
  });
  await bundle.write({
    dir: TARGET,
    format: 'es',
    chunkFileNames: ({ name }) => `shared-${name.replace(/\.d$/, '')}.d.ts`,
  });
  await bundle.close();
}

/**
 * The plugin exports some types as if they were values: a class of which the package exports the type alone, and what comes
 * from a shared file. A program that imports such a value compiles, and does not start.
 */
function exportTypesAsTypes(code, { isEntry, name: file }) {
  if (!isEntry) return null;
  const values = Object.keys(load(`${TARGET}${file}.js`));
  return code.replace(/^export \{ (.*) \}(.*)$/gm, (line, list, from) => {
    const names = list.split(', ');
    const isValue = (name) => values.includes(name.replace(/^.* as /, ''));
    const [kept, types] = [names.filter(isValue), names.filter((name) => !isValue(name))];
    const write = (keyword, some) => (some.length > 0 ? [`${keyword} { ${some.join(', ')} }${from}`] : []);
    return [...write('export', kept), ...write('export type', types)].join('\n');
  });
}

/** A declaration has no string of several lines. */
function indentByTabs(code) {
  return code.replace(/^(?: {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4));
}

const findDeclarations = {
  name: 'find-declarations',
  resolveId(specifier, importer) {
    if (importer === undefined) return specifier;
    if (specifier.startsWith('.')) return `${resolve(dirname(importer), specifier)}.d.ts`;
    return { id: specifier, external: true };
  },
};
