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

/**
 * Runs the JavaScript under a heading of the document; `given` are the names that the reader's own app has.
 *
 * @returns The values of the names in `wanted`, which the lines define.
 */
export function runSection(heading, given, wanted = []) {
  const section = page.slice(page.indexOf(`\n## ${heading}\n`) + 1);
  const [, code] = /```js\n([^]*?)```/.exec(section.slice(0, section.indexOf('\n## ', 3)));
  const names = { require, exports: {}, ...hangupPackage, ...given };
  const { outputText } = ts.transpileModule(code, { compilerOptions });
  const body = `{ ${outputText.replace('"use strict";', '')}\nreturn { ${wanted.join(', ')} }; }`;
  return new Function(...Object.keys(names), body)(...Object.values(names));
}
