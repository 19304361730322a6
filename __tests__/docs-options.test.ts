import * as core from 'express-hangup';
import * as diagnosis from 'express-hangup/diagnose';
import * as eslint from 'express-hangup/eslint';
import * as mysql2 from 'express-hangup/mysql2';
import * as pg from 'express-hangup/pg';
import * as proxy from 'express-hangup/proxy';
import * as testing from 'express-hangup/testing';
import * as upstream from 'express-hangup/upstream';
import { commandLine } from '../src/cli/command-line';
import { documentText, DOCUMENTS, knownOptions, named, tableOf } from './fixtures/documents';

const FLAG = /(?<![\w-])--[a-z][a-z-]*/g;

const flagsIn = (text: string): string[] => [...new Set(text.match(FLAG))].sort();

/** The options that a command lists in its help. */
async function flagsOf(command: string): Promise<string[]> {
  let help = '';
  const terminal = { out: (text: string) => void (help += text), err: (text: string) => void (help += text) };
  expect(await commandLine([command, '--help'], terminal)).toBe(0);
  return flagsIn(help);
}

/** The command lines of all documents that begin with this command, with the lines that continue them. */
function linesOf(command: string): string[] {
  const line = new RegExp(`express-hangup ${command}\\b(?:[^\`\\n]|\\\\\\n)*`, 'g');
  return DOCUMENTS.flatMap((path) => documentText(path).match(line) ?? []);
}

describe('the tables of options', () => {
  it.each<[string, string, (options: object) => unknown]>([
    ['docs/propagation.md', 'option | type', (propagate) => core.hangup({ propagate })],
    ['docs/diagnose.md', 'option | default', diagnosis.diagnose],
  ])('of %s have every option that the code knows, and no other', (path, header, make) => {
    const documented = tableOf(documentText(path), header).map(([name]) => named(name));
    expect(documented.length).toBeGreaterThan(0);
    expect(documented.sort()).toEqual(knownOptions(make).sort());
  });

  it('of docs/repair.md have every option of fix, and no other', async () => {
    const rows = tableOf(documentText('docs/repair.md'), 'option | what').map(([names = '']) => names);
    const known = (await flagsOf('fix')).filter((flag) => flag !== '--help');
    expect(flagsIn(rows.join(' '))).toEqual(known);
  });
});

describe('the values that the package exports', () => {
  it.each(Object.entries({ core, diagnosis, eslint, mysql2, pg, proxy, testing, upstream }))(
    'are each named in a document: %s',
    (_name, exported) => {
      const pages = DOCUMENTS.filter((path) => path !== 'CHANGELOG.md');
      const text = pages.map(documentText).join('\n');
      const unnamed = Object.keys(exported).filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
      expect(unnamed).toEqual([]);
    },
  );
});

describe('the command lines of the documents', () => {
  it.each(['conformance', 'fix', 'rollout', 'demo'])(
    'give %s only options that it knows',
    async (command) => {
      const lines = linesOf(command);
      expect(lines.length).toBeGreaterThan(0);
      const known = await flagsOf(command);
      const unknown = lines.filter(
        (line) => !flagsIn(line.replace(/"[^"]*"/g, '')).every((flag) => known.includes(flag)),
      );
      expect(unknown).toEqual([]);
    },
  );
});
