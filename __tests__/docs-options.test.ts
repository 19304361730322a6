import { hangup } from 'express-hangup';
import { diagnose } from 'express-hangup/diagnose';
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
    ['docs/propagation.md', 'option | type', (propagate) => hangup({ propagate })],
    ['docs/diagnose.md', 'option | default', diagnose],
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
