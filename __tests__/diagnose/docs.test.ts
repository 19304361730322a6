import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WHEN, WHO } from '../../src/diagnose/verdicts/verdict';
import { diagnose } from 'express-hangup/diagnose';

const page = readFileSync(join(__dirname, '../../docs/diagnose.md'), 'utf8');

/** The first two cells of every row of the tables. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split('|').map((cell) => cell.trim()));

function named(cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');
}

describe('docs/diagnose.md', () => {
  it('has a row for every trigger, with who it blames', () => {
    const documented = rows.flatMap(([, triggers, who]) =>
      named(triggers)
        .filter((trigger) => trigger in WHO)
        .map((trigger) => [trigger, named(who)[0]] as const),
    );
    expect(Object.fromEntries(documented)).toEqual(WHO);
  });

  it('has every letter of a verdict', () => {
    const letters = rows.map(([, who, , when]) => [named(who)[0], named(when)[0]] as const);
    for (const letter of new Set(Object.values(WHO))) expect(letters.map(([who]) => who)).toContain(letter);
    for (const letter of Object.values(WHEN)) expect(letters.map(([, when]) => when)).toContain(letter);
  });

  it('has every member of the report', () => {
    const { report, stop } = diagnose();
    stop();
    const documented = rows.flatMap(([, member]) => named(member));
    expect(documented).toEqual(expect.arrayContaining(Object.keys(report())));
    const outcomes = named(rows.find(([, member]) => member === '`outcomes`')?.[2]);
    expect(outcomes).toEqual(expect.arrayContaining(Object.keys(report().outcomes.total)));
  });
});
