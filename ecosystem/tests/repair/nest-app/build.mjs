// Translates src/ to built/: types are checked by tsc.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

const compilerOptions = {
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2022,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
};
mkdirSync('built', { recursive: true });
for (const name of readdirSync('src')) {
  const { outputText } = ts.transpileModule(readFileSync(`src/${name}`, 'utf8'), { compilerOptions });
  writeFileSync(`built/${name.replace(/ts$/, 'js')}`, outputText);
}
