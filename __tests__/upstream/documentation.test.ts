import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { upstream } from 'express-hangup/upstream';
import { checkRequestOptions } from '../../src/upstream/call/request-options';
import { OUTLIER_DEFAULTS } from '../../src/upstream/origins/outlier-detection';
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
      ['dispatcher', 'our own sockets'],
      ['outlierDetection', '{}'],
    ]);
  });

  it('names the options of outlier detection and their defaults', () => {
    const documented = table('`outlierDetection` | default').map(([, name, value]) => [name, value]);
    expect(documented).toEqual(
      Object.entries(OUTLIER_DEFAULTS).map(([name, value]) => [name, String(value)]),
    );
  });

  it('names every option of request()', () => {
    expect(() => checkRequestOptions('', { nonsense: 1 } as never)).toThrow(/Known options: /);
    let known = '';
    try {
      checkRequestOptions('', { nonsense: 1 } as never);
    } catch (error) {
      known = (error as Error).message.replace(/.*Known options: (.*)\./, '$1');
    }
    const named = [...page.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    expect(known.split(', ').filter((name) => !named.includes(name))).toEqual([]);
  });

  it('shows what stats() gives', () => {
    const [, shown = ''] = /`users\.stats\(\)` tells[^]*?```js\n([^]*?)```/.exec(page) ?? [];
    const users = upstream('http://127.0.0.1:3001');
    const names = (value: object): string[] =>
      Object.entries(value).flatMap(([name, inner]) => [
        name,
        ...(typeof inner === 'object' ? names((Array.isArray(inner) ? inner[0] : inner) as object) : []),
      ]);
    const documented = [...shown.replace(/\/\/.*/g, '').matchAll(/(\w+):(?= )/g)].map(([, name]) => name);
    expect(documented).toEqual(names(users.stats()));
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
