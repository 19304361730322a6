// The lines of docs/works-with.md, as they stand there.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import ts from 'typescript';

const require = createRequire(import.meta.url);
const hangupPackage = require('express-hangup');
const page = readFileSync(new URL('../../../docs/works-with.md', import.meta.url), 'utf8');
const compilerOptions = {
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2022,
  esModuleInterop: true,
};

/** The blocks of JavaScript under a heading of the document. */
export function blocksOf(heading) {
  const section = page.slice(page.indexOf(`\n## ${heading}\n`) + 1);
  const end = section.indexOf('\n## ', 3);
  return [...section.slice(0, end < 0 ? undefined : end).matchAll(/```js\n([^]*?)```/g)].map(
    ([, code]) => code,
  );
}

/**
 * Runs a block under a heading of the document, the first one if nothing else is said; `given` are the names that the reader's
 * own app has.
 *
 * @returns The values of the names in `wanted`, which the lines define.
 */
export function runSection(heading, given, { wanted = [], at = 0 } = {}) {
  const names = { require, exports: {}, ...hangupPackage, ...given };
  const { outputText } = ts.transpileModule(blocksOf(heading)[at], { compilerOptions });
  const body = `{ ${outputText.replace('"use strict";', '')}\nreturn { ${wanted.join(', ')} }; }`;
  return new Function(...Object.keys(names), body)(...Object.values(names));
}
