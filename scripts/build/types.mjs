// The declarations of the package: a file for each subpath, and files for what several of them share.
import { dirname, join, resolve } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { SUBPATHS, TARGET, refuseWarning } from './layout.mjs';

/**
 * Rolls the compiler's declarations up to those that a user can name, and writes them to `dist`.
 * @param from - The folder with the compiler's declarations, one file for each module.
 */
export async function rollTypes(from) {
  const bundle = await rollup({
    input: Object.fromEntries(
      Object.entries(SUBPATHS).map(([file, module]) => [file, join(from, `${module}.d.ts`)]),
    ),
    plugins: [findDeclarations, dts(), { name: 'tabs', renderChunk: indentByTabs }],
    onLog: refuseWarning,
  });
  await bundle.write({
    dir: TARGET,
    format: 'es',
    chunkFileNames: ({ name }) => `shared-${name.replace(/\.d$/, '')}.d.ts`,
  });
  await bundle.close();
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
