// The blocks of code of the documents, by the fixture with which the unit tests read them.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const compilerOptions = {
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2022,
  esModuleInterop: true,
};

/** TypeScript or JavaScript, as CommonJS. */
export function translate(code) {
  return ts.transpileModule(code, { compilerOptions }).outputText;
}

const fixtures = new URL('../../../__tests__/fixtures/', import.meta.url);
const documents = {};
new Function(
  'require',
  'exports',
  '__dirname',
  translate(readFileSync(new URL('documents.ts', fixtures), 'utf8')),
)(createRequire(fixtures), documents, fileURLToPath(fixtures));

export const { codeBlocksOf, documentText, DOCUMENTS, givenToAll } = documents;
