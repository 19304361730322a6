import type { ConformanceCell } from '../../testing/conformance/cell';
import type { ConformanceResult } from '../../testing/conformance/result';
import { hintFor } from '../../testing/conformance/verdicts/hints';
import { causesOf } from '../../testing/conformance/verdicts/summary';

/** A run against one upstream. */
export interface NamedResult {
  /** What was broken: the name of a variable, or `upstream`. */
  name: string;
  result: ConformanceResult;
}

/** A report in the XML of JUnit, as CI systems read it. */
export function junitReport(results: readonly NamedResult[]): string {
  const suites = results.map(({ name, result }) => {
    const { cells, wrong, unseen, vacuous } = result;
    const own =
      vacuous === undefined
        ? []
        : [
            `    <testcase classname="${xml(name)}" name="sees something"><failure message="${xml(vacuous)}"/></testcase>`,
          ];
    const failures = wrong + own.length;
    const head = `  <testsuite name="${xml(`express-hangup conformance: ${name}`)}" tests="${cells.length + own.length}" failures="${failures}" skipped="${unseen}">`;
    return [head, ...cells.map((cell) => testCase(name, cell)), ...own, '  </testsuite>'].join('\n');
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}

function testCase(name: string, cell: ConformanceCell): string {
  const { verdict, why, ms = 0 } = cell;
  const head = `    <testcase classname="${xml(`${name}.${cell.method}`)}" name="${xml(nameOf(cell))}" time="${(ms / 1000).toFixed(3)}"`;
  if (verdict === 'wrong') return `${head}><failure message="${xml(why)}"/></testcase>`;
  if (verdict === 'unseen') return `${head}><skipped message="${xml(why)}"/></testcase>`;
  return verdict === 'flaky'
    ? `${head}><system-out>${xml(`flaky: ${why}`)}</system-out></testcase>`
    : `${head}/>`;
}

function nameOf({ fault, method, client, call }: ConformanceCell): string {
  return `${fault}, ${method} ${client}${call === undefined ? '' : `, from call ${call} on`}`;
}

function xml(text: string): string {
  // XML 1.0 has no place for most control characters.
  // eslint-disable-next-line no-control-regex -- these are what is to go
  const plain = text.replace(/[\0-\x08\x0b-\x1f]/g, '');
  return plain
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A line for each cause that GitHub Actions shows as an annotation. */
export function githubAnnotations(results: readonly NamedResult[]): string {
  const lines = results.flatMap(({ name, result }) => {
    const causes = causesOf(result.cells).map(({ cause, cells }) => {
      const places = cells.map(nameOf).join('; ');
      return annotation(
        'error',
        name,
        `${cells[0]?.why} (${cells.length}: ${places})\n${hintFor(cause).advice}`,
      );
    });
    const flaky = result.flaky > 0 ? [annotation('warning', name, `${result.flaky} cells are flaky`)] : [];
    return [
      ...causes,
      ...flaky,
      ...(result.vacuous === undefined ? [] : [annotation('error', name, result.vacuous)]),
    ];
  });
  return lines.join('');
}

// https://docs.github.com/actions/reference/workflow-commands: what would end the command is escaped.
function annotation(level: string, name: string, text: string): string {
  const escaped = text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  return `::${level} title=express-hangup conformance%3A ${name}::${escaped}\n`;
}
