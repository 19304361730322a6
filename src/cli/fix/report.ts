import { unifiedDiff } from './diff';
import { isAbout, type SeenFault } from './faults';
import type { FileOutcome, Finding } from './repair-file';

/** What a run of `fix` came to. */
export interface FixReport {
  readonly outcomes: ReadonlyMap<string, FileOutcome>;
  readonly repaired: readonly Finding[];
  readonly left: readonly Finding[];
  /** Repairs that broke the tests. */
  readonly takenBack: readonly Finding[];
  readonly unreadable: readonly { readonly file: string; readonly why: string }[];
  readonly faults: readonly SeenFault[];
  /** Whether an app was seen on which `hangup()` is, or will be, mounted. */
  readonly hasMount: boolean;
  /** The folders of packages in which nothing mounts it, and where repairs were left out for that. */
  readonly withoutMount: readonly string[];
  readonly written: boolean;
  /** What was done besides, a sentence each. */
  readonly notes: readonly string[];
}

/** The diff of all files. */
export function diffOf({ outcomes }: Pick<FixReport, 'outcomes'>): string {
  return [...outcomes].map(([file, { before, after }]) => unifiedDiff(file, before, after)).join('');
}

/** The report as plain data. */
export function asJson(report: FixReport): object {
  const { repaired, left, takenBack, unreadable, written, hasMount, withoutMount, notes } = report;
  const faults = report.faults.map((fault) => ({ ...fault, outcome: fateOf(fault, report) }));
  const mounts = { hasMount, withoutMount };
  return { repaired, left, takenBack, unreadable, faults, ...mounts, written, notes, diff: diffOf(report) };
}

/** The report in words, after the diff. */
export function inWords(report: FixReport): string {
  const { repaired, left, takenBack, unreadable, faults, written, notes } = report;
  const files = new Set(repaired.map(({ file }) => file)).size;
  const parts = [
    written ? '' : diffOf(report),
    section(
      'From production',
      faults.map((fault) => faultLine(fault, report)),
    ),
    section(written ? 'Repaired' : 'Would be repaired', repaired.map(findingLine)),
    section('Taken back, as the tests failed with it', takenBack.map(findingLine)),
    section('Left for you', left.map(findingLine)),
    section(
      'Not read',
      unreadable.map(({ file, why }) => `  ${file}  ${why}`),
    ),
    `${plural(repaired.length, 'repair')} in ${plural(files, 'file')}, ${left.length} left for you.`,
    noMount(report),
    written || repaired.length === 0 ? '' : 'Nothing was written: --write applies the diff.',
    ...notes,
  ];
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}

function noMount({ hasMount, withoutMount }: FixReport): string {
  const where = hasMount
    ? withoutMount.map((folder) => `No file of ${folder || 'the root package'}`)
    : ['No file'];
  return where
    .map(
      (no) =>
        `${no} makes an app (express()) on which hangup() could be mounted: what needs it was left. Name the folder of the app too.`,
    )
    .join('\n');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}\n${lines.join('\n')}\n`;
}

function findingLine({ file, line, column, rule, message }: Finding): string {
  return `  ${file}:${line}:${column}  ${rule}\n    ${message}`;
}

function faultLine(fault: SeenFault, report: FixReport): string {
  const { code, method, route, where } = fault;
  return `  ${code} of ${method} ${route}, called at ${where.file}:${where.line}: ${fateOf(fault, report)}`;
}

function fateOf(fault: SeenFault, { repaired, left, takenBack }: FixReport): string {
  const has = (findings: readonly Finding[]): Finding | undefined =>
    findings.find((each) => isAbout(each, fault));
  if (has(repaired)) return 'repaired';
  if (has(takenBack)) return 'taken back, as the tests failed with the repair';
  const rest = has(left);
  return rest ? `left: ${rest.message}` : 'nothing to repair at this line';
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The message of the commit: what was done, and why. */
export function commitMessage({ repaired }: Pick<FixReport, 'repaired'>): string {
  const byRule = new Map<string, Finding[]>();
  for (const finding of repaired) byRule.set(finding.rule, [...(byRule.get(finding.rule) ?? []), finding]);
  const lines = [...byRule].map(
    ([rule, findings]) => `- ${WHAT[rule] ?? rule} (${findings.length}): ${placesOf(findings)}`,
  );
  return `Requests end their own work, and upstream faults are told as 502 and 504\n\n${lines.join('\n')}\n\nMade by express-hangup fix.\n`;
}

const WHAT: Record<string, string> = {
  'call-without-signal': 'Calls end when their client leaves or the deadline passes',
  'catch-hides-fault': 'A reset or a timeout of an upstream is no longer answered 500',
  'guard-async-handler':
    'A rejection of an async handler reaches the error handlers and does not end the process',
  'mount-gateway-error-handler': 'Faults of upstreams are answered 502 or 504',
  'mount-hangup': 'Every request has a signal and a deadline',
  'no-abort-snippet':
    "The controller that aborted when a body had been read is gone: the request's own signal is right",
  'no-connect-timeout': 'connect-timeout, which stopped no work, is replaced',
  'no-express-timeout-handler': "express-timeout-handler, which measured the socket's silence, is replaced",
  'service-without-signal': 'Services end with the request that they work for',
  'wrap-proxy': 'The proxy stops with its client, and a broken body stays visibly broken',
};

const SHOWN = 5;

function placesOf(findings: readonly Finding[]): string {
  const places = findings.slice(0, SHOWN).map(({ file, line }) => `${file}:${line}`);
  const more = findings.length - places.length;
  return `${places.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
