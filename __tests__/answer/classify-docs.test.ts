import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FAULT_CODES, gatewayFault } from '../../src/answer/fault';

describe('docs/errors.md', () => {
  const text = readFileSync(path.join(__dirname, '../../docs/errors.md'), 'utf8');
  const sections = text.split(/^## (?=[A-Z_]+$)/m).slice(1);

  it('has a heading for every code, in the order of the table', () => {
    expect(sections.map((section) => section.split('\n', 1)[0])).toEqual(FAULT_CODES);
  });

  it.each(FAULT_CODES)(
    'tells of %s what happened, what it looks like, its status, and what to do',
    (code) => {
      const section = sections.find((section) => section.startsWith(`${code}\n`)) ?? '';
      for (const part of ['What happened', 'The handler sees', 'The client gets', 'What to do']) {
        expect(section).toContain(`**${part}:**`);
      }
      expect(section).toContain(String(gatewayFault(code, undefined).status));
    },
  );
});
