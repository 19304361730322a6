import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packedProject, runNode } from './packed-project';

interface RunnerReport {
  numPassedTests: number;
  numFailedTests: number;
}

function report(directory: string): RunnerReport {
  return JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8')) as RunnerReport;
}

describe("a user's own tests", () => {
  it('run in Jest as it comes, without a configuration', () => {
    const cwd = join(packedProject().dir, 'jest');
    runNode(['../node_modules/jest/bin/jest.js', '--json', '--outputFile=report.json'], cwd);
    expect(report(cwd)).toMatchObject({ numPassedTests: 2, numFailedTests: 0 });
  });

  it('run in Vitest, which loads the package by import', () => {
    const cwd = join(packedProject().dir, 'vitest');
    runNode(['../node_modules/vitest/vitest.mjs', 'run', '--reporter=json', '--outputFile=report.json'], cwd);
    expect(report(cwd)).toMatchObject({ numPassedTests: 1, numFailedTests: 0 });
  });
});
