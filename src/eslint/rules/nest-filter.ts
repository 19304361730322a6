import { eol, type Edit } from '../calls/add-signal';
import { afterImports, importEdit, imported, isTaken, joined, localName, styleOf } from '../code/imports';
import { callsOfOurs } from '../code/mounted';
import { lineAfter } from '../code/remove';
import type { App } from '../express/app';
import type { RuleKit } from '../rule';

/**
 * Reports a Nest app without a filter that hands faults to `gatewayErrorHandler()`: Nest's own filters answer 500 for them. If
 * the app has filters of its own, its author has to decide their order.
 */
export function judgeNest(app: App, kit: RuleKit): void {
  const { source, settings, filename, report } = kit;
  const data = { app: app.name };
  if (callsOfOurs('gatewayErrorHandler', source).length > 0 || /GatewayFilter/.test(source.text)) return;
  const hasOwn = settings.hasNestFilters === true || /useGlobalFilters|APP_FILTER/.test(source.text);
  const isFree = !['GatewayFilter', 'answerFault'].some((name) => isTaken(name, source));
  const edits = hasOwn || !isFree || !/\.[cm]?ts$/.test(filename) ? undefined : filterEdits(app, kit);
  const suggest = edits ? [{ messageId: 'filter', data, edits }] : [];
  report({ node: app.call, messageId: 'nest', data, suggest });
}

function filterEdits(app: App, { source, settings }: RuleKit): Edit[] {
  const ours = imported('gatewayErrorHandler', source, settings.importsAreAdded);
  const { end } = styleOf(source);
  const use = `${app.name}.useGlobalFilters(new GatewayFilter(${app.name}.getHttpAdapter()))${end}`;
  return joined([
    ...nestImports(source),
    ...ours.edits,
    afterImports(filterText(ours.local, source), source, app.made.range[0]),
    lineAfter(app.made, use, source),
  ]);
}

function nestImports(source: RuleKit['source']): Edit[] {
  return NEEDED.flatMap(([name, from]) =>
    localName(name, from, source) === name ? [] : [importEdit([[name, name]], from, source)],
  );
}

const NEEDED = [
  ['Catch', '@nestjs/common'],
  ['BaseExceptionFilter', '@nestjs/core'],
] as const;

function filterText(handler: string, source: RuleKit['source']): string {
  const { quote, end } = styleOf(source);
  return [
    '',
    `const answerFault = ${handler}()${end}`,
    '',
    '@Catch()',
    'class GatewayFilter extends BaseExceptionFilter {',
    `  override catch(error: unknown, host: import(${quote}@nestjs/common${quote}).ArgumentsHost): void {`,
    `    if (host.getType() !== ${quote}http${quote}) throw error${end}`,
    `    const http = host.switchToHttp()${end}`,
    `    answerFault(error, http.getRequest(), http.getResponse(), (other: unknown) => super.catch(other, host))${end}`,
    '  }',
    '}',
  ].join(eol(source));
}
