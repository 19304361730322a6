import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientThatHangsUp, conformance, FAULTS, faultyUpstream, TCP_FAULTS } from 'express-hangup/testing';
import { ROWS } from '../../src/testing/conformance/matrix';

const docs = readFileSync(join(__dirname, '../../docs/testing.md'), 'utf8');

/** The cells of the rows of the first table in a section whose first column has this name. */
function table(first: string, section = ''): string[][] {
  const [, rest = ''] = docs
    .slice(docs.indexOf(`\n## ${section}`))
    .split(new RegExp(`^\\| ${first} +\\|.*\\n\\|[ -|]*\\n`, 'm'));
  const rows = rest.split('\n');
  return rows.slice(0, rows.indexOf('')).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const plain = (text = ''): string => text.replaceAll('`', '');

describe('docs/testing.md', () => {
  it('lists every fault with its settings and defaults', () => {
    const listed = table('fault').map((row) => row.map(plain));
    const real = Object.entries(FAULTS).map(([name, { does, settings, http1, http2 }]) => [
      name,
      does,
      Object.entries(settings)
        .map(([key, value]) => `${key} ${value}`)
        .join(', ') || '—',
      http2 ? (http1 ? 'yes' : 'only') : 'no',
    ]);
    expect(listed).toEqual(real);
  });

  it('lists every fault of faultyTcp()', () => {
    const listed = table('fault of the connection', '`faultyTcp()`').map(([name, does]) => [
      plain(name),
      plain(does),
    ]);
    expect(listed).toEqual(Object.entries(TCP_FAULTS).map(([name, does]) => [name, plain(does)]));
  });

  it.each([
    ['faultyUpstream', faultyUpstream],
    ['clientThatHangsUp', (options: object) => clientThatHangsUp('http://127.0.0.1:1', options)],
    ['conformance', (options: object) => conformance('http://127.0.0.1:1', options)],
  ] as const)('lists every option of %s()', async (name, call) => {
    const refusal = await call({ nonsense: 1 } as never).then(() => 'none', String);
    const [, known = ''] = /Known options: (.*)\./.exec(refusal) ?? [];
    const listed = table('option', `\`${name}()\``).flatMap(([names]) => plain(names).split(', '));
    // Told in the row of the option without which it says nothing.
    const missing = known.split(', ').filter((option) => !listed.includes(option) && option !== 'oneByOne');
    expect([missing, listed.filter((option) => !known.split(', ').includes(option))]).toEqual([[], []]);
  });

  it('says for every row of the conformance run what is right', () => {
    const listed = table('the upstream').flatMap(([faults]) => plain(faults).split(', '));
    expect(listed.sort()).toEqual([...ROWS].sort());
  });

  it.each(readdirSync(join(__dirname, 'examples')))('shows %s as it is tested', (name) => {
    expect(docs).toContain(readFileSync(join(__dirname, 'examples', name), 'utf8'));
  });
});
