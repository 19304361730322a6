import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { codeBlocksOf, documentText, DOCUMENTS } from '../fixtures/documents';
import { packedProject } from './packed-project';

// docs-examples.test.ts reads these blocks, and ecosystem/tests/documents runs them. Here a user's compiler checks them.

/** What the reader has, for the blocks that leave it to him. */
const GIVEN = `import express = require('express');
import type { Server } from 'node:http';
declare global {
  const app: express.Express;
  const server: Server;
  const target: string;
  const createProxyMiddleware: typeof import('http-proxy-middleware').createProxyMiddleware;
  const hangupProxy: typeof import('express-hangup/proxy').hangupProxy;
}
`;

/** The blocks in TypeScript by the names of their files, but for those that need a framework: the tests that they name have it. */
const EXAMPLES = DOCUMENTS.filter((path) => !path.startsWith('docs/rules/')).flatMap((path) =>
  codeBlocksOf(documentText(path))
    .filter(({ language, runBy }) => language === 'ts' && runBy === undefined)
    .map(({ code, given }, at) => {
      const before = given.includes('express') ? "import express from 'express';\n" : '';
      return { name: `${path.replaceAll(/\W/g, '-')}-${at + 1}`, text: `${before}${code}\nexport {};\n` };
    }),
);

/** What the compiler says of the files in a project under `strict`, each with the file's name. */
function diagnosticsOf(files: Record<string, string>): string[] {
  const { dir } = packedProject();
  const directory = join(dir, 'documented');
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const program = ts.createProgram(
    Object.keys(files).map((name) => join(directory, name)),
    {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      types: ['node'],
      typeRoots: [join(dir, 'node_modules/@types')],
      strict: true,
      esModuleInterop: true,
      skipLibCheck: true,
      noEmit: true,
    },
  );
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) =>
        `${file?.fileName.slice(directory.length + 1) ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
}

describe('the examples in TypeScript', () => {
  it.each(['mts', 'cts'])('compile under nodenext, written to files that end in .%s', (ending) => {
    expect(EXAMPLES.length).toBeGreaterThan(4);
    const files = EXAMPLES.map(({ name, text }) => [`${name}.${ending}`, text] as const);
    expect(diagnosticsOf({ 'given.cts': GIVEN, ...Object.fromEntries(files) })).toEqual([]);
  });
});
