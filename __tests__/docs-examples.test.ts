import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as core from 'express-hangup';
import { Linter } from 'eslint';
import ts from 'typescript';
import { codeBlocksOf, documentText, DOCUMENTS, givenToAll, type CodeBlock } from './fixtures/documents';

// What runs without further words is run by ecosystem/tests/documents/examples.test.mjs, which has the packages that the examples use.

/** The pages of the rules show what a rule finds and what it makes of it: their own tests hold them. */
const PAGES = DOCUMENTS.filter(
  (path) => !path.startsWith('docs/rules/') && codeBlocksOf(documentText(path)).length > 0,
);

/** In every Node that is supported, and around each example: the core, and `app`. */
const GIVEN_TO_ALL = [
  ...Object.keys(core),
  ...[
    'app',
    'require',
    'exports',
    'module',
    'process',
    'console',
    'fetch',
    'URL',
    'Buffer',
    'Request',
    'Response',
  ],
  ...['AbortController', 'AbortSignal', 'setTimeout', 'clearTimeout', 'performance'],
];

const isProgram = ({ language }: CodeBlock): boolean => language === 'js' || language === 'ts';

describe('the examples of', () => {
  describe.each(PAGES)('%s', (path) => {
    const text = documentText(path);
    const blocks = codeBlocksOf(text);
    const programs = blocks.filter(isProgram);

    it('name their language', () => {
      expect(blocks.filter(({ language }) => language === '')).toEqual([]);
    });

    it('are programs that can be read', () => {
      expect(programs.filter((block) => translate(block) === undefined)).toEqual([]);
    });

    it('are data that can be read', () => {
      const data = blocks.filter(({ language }) => language === 'json');
      expect(() => data.map(({ code }): unknown => JSON.parse(code))).not.toThrow();
    });

    it('use no name that they do not define, but those that the document says the reader has', () => {
      const own = givenToAll(text);
      const used = programs.map(freeNames);
      programs.forEach(({ given, code, notRun }, at) => {
        if (notRun !== undefined) return;
        const left = used[at]?.filter((name) => !own.includes(name));
        expect([code, left]).toEqual([code, [...given].sort()]);
      });
      expect(own.filter((name) => !used.flat().includes(name))).toEqual([]);
    });

    it('name a test that runs them, or say why nothing does, where they are no programs of JavaScript', () => {
      const others = blocks.filter(({ language }) => !['js', 'ts', 'json', 'text'].includes(language));
      expect(others.filter(({ runBy, notRun }) => runBy === undefined && notRun === undefined)).toEqual([]);
    });

    it('name tests that are there and name the document', () => {
      const tests = new Set(blocks.flatMap(({ runBy }) => runBy?.split(' and ') ?? []));
      const named = [...tests].filter(
        (test) => existsSync(join(__dirname, '..', test)) && documentText(test).includes(basename(path)),
      );
      expect(named).toEqual([...tests]);
    });
  });
});

describe('the pages of the rules', () => {
  it.each(DOCUMENTS.filter((path) => path.startsWith('docs/rules/')))('can be read: %s', (path) => {
    const blocks = codeBlocksOf(documentText(path));
    expect(blocks.filter((block) => translate(block) === undefined)).toEqual([]);
  });
});

/** As CommonJS; `undefined` where it cannot be read. A document may show the value of an object, or the end of a `try`. */
function translate({ code, language }: CodeBlock): string | undefined {
  const readings = [code, `(${code})`, `try { ${code}`];
  for (const reading of readings) {
    const { outputText, diagnostics = [] } = ts.transpileModule(reading, {
      fileName: `example.${language}`,
      reportDiagnostics: true,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.CommonJS,
        esModuleInterop: true,
        experimentalDecorators: true,
      },
    });
    if (diagnostics.length === 0) return outputText;
  }
  return undefined;
}

function freeNames(block: CodeBlock): string[] {
  const code = `async function example() {\n${translate(block)?.replace('"use strict";', '') ?? ''}\n}`;
  const found = new Linter().verify(code, {
    languageOptions: {
      sourceType: 'commonjs',
      ecmaVersion: 2024,
      globals: Object.fromEntries(GIVEN_TO_ALL.map((name) => [name, 'readonly' as const])),
    },
    rules: { 'no-undef': 'error' },
  });
  if (found.some(({ fatal }) => fatal)) throw new Error(`${found[0]?.message}\n${code}`);
  const names = found.map(({ message }) => /^'(.+)' is not defined/.exec(message)?.[1] ?? message);
  return [...new Set(names)].sort();
}
