// The JavaScript of the package: few CommonJS files, each with the modules that are loaded together.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { transform } from 'esbuild';
import { rollup } from 'rollup';
import ts from 'typescript';
import {
  ALONE,
  COMMAND_LINE,
  DENSE,
  LATER,
  refuseWarning,
  ROOT,
  SHARED,
  SOURCE,
  SUBPATHS,
  TARGET,
} from './layout.mjs';
import { shrink } from './shrink.mjs';

/** Writes the JavaScript to `dist`. Rejects if the bundler warns of anything. */
export async function buildCode() {
  const bundle = await rollup({
    input: filesOf({ ...SUBPATHS, ...COMMAND_LINE, ...LATER }),
    plugins: [findSources, compileSources, shrinkChunks],
    onLog: refuseWarning,
    // The bundler would drop code that only seems to have no effect: "new Field(object, value)" gives the object a field.
    treeshake: false,
  });
  await bundle.write({
    dir: TARGET,
    format: 'cjs',
    exports: 'named',
    esModule: true,
    generatedCode: { preset: 'es2015', symbols: false },
    interop: 'default',
    externalLiveBindings: false,
    hoistTransitiveImports: false,
    manualChunks: sharedFileOf,
    chunkFileNames: '[name].js',
  });
  await bundle.close();
  for (const module of ALONE) buildAlone(module);
}

function filesOf(modules) {
  return Object.fromEntries(
    Object.entries(modules).map(([file, module]) => [file, join(SOURCE, `${module}.ts`)]),
  );
}

/** A module's path in `src`, without its ending. */
function moduleOf(id) {
  return relative(SOURCE, id).replaceAll('\\', '/').replace(/\.ts$/, '');
}

function sharedFileOf(id) {
  return Object.keys(SHARED).find((file) => SHARED[file].test(moduleOf(id)));
}

const findSources = {
  name: 'find-sources',
  resolveId(specifier, importer) {
    if (importer === undefined) return specifier;
    if (specifier.startsWith('.')) return `${resolve(dirname(importer), specifier)}.ts`;
    // Anything else would be a dependency at run time, of which there is none.
    return specifier.startsWith('node:') ? { id: specifier, external: true } : undefined;
  },
};

const shrinkChunks = {
  name: 'shrink-chunks',
  renderChunk: (code, { name }) => shrink(code, { dense: DENSE.test(name) }),
};

const compileSources = {
  name: 'compile-sources',
  async transform(text, id) {
    const { code } = await transform(text, {
      ...{ loader: 'ts', format: 'esm', target: 'es2022', charset: 'utf8' },
      sourcefile: id,
    });
    return { code: loadFromFiles(placeAsSource(code, id), id), map: null };
  },
};

/** All bundles lie in `dist` itself. A file that a module finds beside its source lies below `dist`, at its old relative path. */
function placeAsSource(code, id) {
  const module = moduleOf(id);
  return code
    .replace(/\b__dirname\b/g, `require("node:path").join(__dirname, "${posix.dirname(module)}")`)
    .replace(/\b__filename\b/g, `require("node:path").join(__dirname, "${module}.js")`);
}

/** A `require()` of another module, which loads it when it is needed, names the file that holds it. */
function loadFromFiles(code, id) {
  return code.replace(/\brequire\("(\.[^"]*)"\)/g, (_text, specifier) => {
    const path = resolve(dirname(id), specifier);
    if (path.endsWith('.json')) return `require("../${relative(ROOT, path)}")`;
    const file = Object.keys(LATER).find((name) => LATER[name] === moduleOf(path));
    if (file === undefined)
      throw new Error(`${moduleOf(id)} loads ${specifier}: name it in LATER of layout.mjs.`);
    return `require("./${file}.js")`;
  });
}

function buildAlone(module) {
  const { outputText } = ts.transpileModule(readFileSync(join(SOURCE, `${module}.ts`), 'utf8'), {
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      esModuleInterop: true,
    },
  });
  const file = join(TARGET, `${module}.js`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, outputText);
}
