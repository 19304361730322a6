import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { unifiedDiff } from '../../src/cli/fix/diff';
import { isAbout, readFaults } from '../../src/cli/fix/faults';
import { repairText, type Finding } from '../../src/cli/fix/repair-file';
import { bisect } from '../../src/cli/fix/verify';

describe('bisect()', () => {
  it('keeps all in one run where all pass', async () => {
    const { kept, takenBack, runs } = await bisect([1, 2, 3], () => Promise.resolve(true));
    expect({ kept, takenBack, runs }).toEqual({ kept: [1, 2, 3], takenBack: [], runs: 1 });
  });

  it('finds exactly the culprits, wherever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(40)),
        fc.uniqueArray(fc.nat(40), { maxLength: 4 }),
        async (all, bad) => {
          const culprits = all.filter((each) => bad.includes(each));
          const passes = (applied: readonly number[]): Promise<boolean> =>
            Promise.resolve(!applied.some((each) => culprits.includes(each)));
          const { kept, takenBack } = await bisect(all, passes);
          expect(takenBack).toEqual(culprits);
          expect([...kept].sort()).toEqual(all.filter((each) => !culprits.includes(each)).sort());
        },
      ),
    );
  });

  it('finds one among a hundred in about two runs for each halving', async () => {
    const all = Array.from({ length: 100 }, (_, at) => at);
    const { takenBack, runs } = await bisect(all, (applied) => Promise.resolve(!applied.includes(63)));
    expect(takenBack).toEqual([63]);
    expect(runs).toBeLessThanOrEqual(16);
  });

  it('takes both of two back together only as far as needed', async () => {
    const passes = (applied: readonly string[]): Promise<boolean> =>
      Promise.resolve(!(applied.includes('a') && applied.includes('d')));
    const { kept, takenBack } = await bisect(['a', 'b', 'c', 'd'], passes);
    expect({ kept, takenBack }).toEqual({ kept: ['a', 'b', 'c'], takenBack: ['d'] });
  });
});

describe('repairText()', () => {
  it('leaves a file in which ESLint fails as it is, and says why', () => {
    const verify = (): never => {
      throw new RangeError('Maximum call stack size exceeded\nOccurred while linting deep.js:1');
    };
    const inspection = { linter: { verify }, config: [], imports: [], filename: 'deep.js', file: 'deep.js' };
    expect(repairText('fetch(url);', inspection, () => true)).toEqual({
      ...{ before: 'fetch(url);', after: 'fetch(url);', repaired: [], left: [] },
      unreadable: 'ESLint failed: Maximum call stack size exceeded',
    });
  });
});

describe('unifiedDiff()', () => {
  it('is nothing for the same text', () => {
    expect(unifiedDiff('a.js', 'x\n', 'x\n')).toBe('');
  });

  it('is such that git makes the second text of the first', () => {
    const folder = mkdtempSync(join(tmpdir(), 'express-hangup-diff-'));
    const line = fc.constantFrom('a', 'b', 'c', '', '  d');
    const text = fc.array(line, { minLength: 1, maxLength: 30 }).map((lines) => `${lines.join('\n')}\n`);
    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(before !== after);
        writeFileSync(join(folder, 'a.js'), before);
        const input = unifiedDiff('a.js', before, after);
        execFileSync('git', ['apply', '--unidiff-zero', '--whitespace=nowarn', '-'], { cwd: folder, input });
        expect(readFileSync(join(folder, 'a.js'), 'utf8')).toBe(after);
      }),
      { numRuns: 40 },
    );
    rmSync(folder, { recursive: true });
  });
});

describe('isAbout()', () => {
  const finding: Finding = {
    ...{ key: '', file: 'src/app.js', rule: 'call-without-signal', messageId: '', message: '' },
    ...{ line: 4, endLine: 4, column: 1 },
  };
  const fault = (file: string, line: number) => ({
    code: '',
    method: '',
    route: '',
    where: { file, line, column: 9 },
  });

  it.each([
    ['src/app.js', 4, true],
    ['/srv/shop/src/app.js', 4, true],
    ['C:\\shop\\src\\app.js', 4, true],
    ['/srv/shop/src/app.js', 5, false],
    ['/srv/shop/other/app.js', 4, false],
    ['/srv/mysrc/app.js', 4, false],
  ])('compares the end of the path and the line: %s:%d', (file, line, expected) => {
    expect(isAbout(finding, fault(file, line))).toBe(expected);
  });

  it('takes any line of a call of several lines, and only the first of what is no call', () => {
    const tall = { ...finding, endLine: 9 };
    expect([4, 9, 10].map((line) => isAbout(tall, fault('src/app.js', line)))).toEqual([true, true, false]);
    const handler = { ...tall, rule: 'guard-async-handler' };
    expect([4, 9].map((line) => isAbout(handler, fault('src/app.js', line)))).toEqual([true, false]);
  });
});

describe('readFaults()', () => {
  const folder = mkdtempSync(join(tmpdir(), 'express-hangup-faults-'));
  const path = join(folder, 'faults.jsonl');

  afterAll(() => rmSync(folder, { recursive: true }));

  it('reads the lines of diagnose() and of faultLine(), and leaves out those without a place', () => {
    const common = { code: 'UPSTREAM_RESET', method: 'GET', route: '/orders' };
    const lines = [
      { ...common, where: { file: '/app/a.js', line: 12, column: 28 } },
      { ...common, msg: '502', where: '/app/routes:v2/b.js:3:7' },
      { ...common, where: null },
      common,
    ];
    writeFileSync(path, lines.map((line) => JSON.stringify(line)).join('\n'));
    expect(readFaults(path).map(({ where }) => where)).toEqual([
      { file: '/app/a.js', line: 12, column: 28 },
      { file: '/app/routes:v2/b.js', line: 3, column: 7 },
    ]);
  });

  it.each(['"somewhere"', '{ "file": 7 }', '{ "line": 3 }'])('refuses a place that is none: %s', (where) => {
    writeFileSync(path, `{ "where": ${where} }`);
    expect(() => readFaults(path)).toThrow(/line 1: where must be \{ file, line, column \}/);
  });
});
