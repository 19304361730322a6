import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UPSTREAM_DEFAULTS } from '../../src/upstream/settings/settings';

const page = readFileSync(join(__dirname, '../../docs/upstream.md'), 'utf8');

/** The cells of the table that begins with this header. */
function table(header: string): string[][] {
  const [, rest = ''] = page.split(`\n| ${header}`, 2);
  const lines = rest.slice(0, rest.indexOf('\n\n')).split('\n').slice(2);
  return lines.map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
}

describe('docs/upstream.md', () => {
  it('names the options and their defaults', () => {
    const documented = table('option | default').map(([, name, value]) => [name, value]);
    expect(documented).toEqual([
      ...Object.entries(UPSTREAM_DEFAULTS).map(([name, value]) => [name, String(value)]),
      ['connect', '{}'],
    ]);
  });

  it('gives the agent the options that are tested, with a time below that of a Node server', () => {
    expect(page).toContain('const options = { keepAlive: true, timeout: 4_000 };');
  });

  it('says which undici to install on the oldest Node and on the others', () => {
    expect(table('Node | install').map((cells) => cells[2])).toEqual([
      'npm install undici@7',
      'npm install undici@8 (7 works as well)',
    ]);
  });
});
