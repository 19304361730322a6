import type { Linter, LintMessage } from './project/partners';
import { inParts, offsetOf, originalOffset, type Change } from './places';

/** One thing that was found: repaired, or left for a person. */
export interface Finding {
  /** Names it in every run over the same text: file, rule, and place. */
  readonly key: string;
  readonly file: string;
  readonly rule: string;
  readonly messageId: string;
  readonly line: number;
  /** The line on which it ends. */
  readonly endLine: number;
  readonly column: number;
  readonly message: string;
}

/** What a run over one file came to. */
export interface FileOutcome {
  readonly before: string;
  readonly after: string;
  readonly repaired: readonly Finding[];
  readonly left: readonly Finding[];
  /** Why ESLint could not read the file. */
  readonly unreadable?: string;
}

/** How a file is looked at. */
export interface Inspection {
  readonly linter: Linter;
  readonly config: object[];
  /** The configuration that adds the imports which repairs need. */
  readonly imports: object[];
  readonly filename: string;
  /** The name in findings. */
  readonly file: string;
}

/** The suggestions that the command `fix` applies, by rule and message. */
const CHOSEN: Record<string, string> = {
  'no-abort-snippet': 'replace',
  'no-connect-timeout': 'migrate',
  'no-express-timeout-handler': 'migrate',
  'wrap-proxy': 'wrap',
  'guard-async-handler': 'guard',
  'mount-hangup': 'mount move',
  'mount-gateway-error-handler': 'mount filter',
  'catch-hides-fault': 'pass',
};

/** A repair may make room for the next: a handler is guarded, then its calls get the signal. */
const PASSES = 12;

/**
 * Repairs a text as often as there is something to repair. `wanted` says which findings may be repaired; `chosen` which
 * suggestions besides the usual ones, by `rule/messageId` of the finding.
 */
export function repairText(
  whole: string,
  inspection: Inspection,
  wanted: (finding: Finding) => boolean,
  chosen: ReadonlySet<string> = new Set(),
): FileOutcome {
  // ESLint counts without a byte order mark.
  const mark = whole.startsWith('\uFEFF') ? '\uFEFF' : '';
  const outcome = repairWithoutMark(whole.slice(mark.length), inspection, wanted, chosen);
  return { ...outcome, before: whole, after: `${mark}${outcome.after}` };
}

function repairWithoutMark(
  before: string,
  inspection: Inspection,
  wanted: (finding: Finding) => boolean,
  chosen: ReadonlySet<string>,
): FileOutcome {
  const repaired = new Map<string, Finding>();
  const passes: Change[][] = [];
  let text = before;
  let left: Finding[] = [];
  for (let pass = 0; pass < PASSES; pass += 1) {
    const messages = lint(text, inspection.config, inspection);
    const fatal = fatalIn(messages);
    if (fatal !== undefined) return untouched(before, pass === 0 ? fatal : `${BROKEN}: ${fatal}`);
    const found = messages.filter(({ ruleId }) => ruleId?.startsWith('express-hangup/') === true);
    const told = found.map((message) => ({
      message,
      finding: findingOf(message, text, before, passes, inspection),
    }));
    const changes = told.flatMap(({ message, finding }) => {
      const change = changeOf(message, chosen);
      // A finding that comes again after its repair is not repaired a second time.
      return change && !repaired.has(finding.key) && wanted(finding) ? [{ ...change, finding }] : [];
    });
    const taken = apart(changes);
    left = told.map(({ finding }) => finding).filter(({ key }) => !repaired.has(key));
    if (taken.length === 0) break;
    for (const { finding } of taken) repaired.set(finding.key, finding);
    const whole = text;
    passes.push(taken.flatMap((change) => inParts(change, whole)));
    text = changed(text, taken);
  }
  const after = repaired.size > 0 ? withImports(text, inspection) : before;
  const broken = repaired.size > 0 ? fatalIn(lint(after, inspection.imports, inspection)) : undefined;
  if (broken !== undefined) return untouched(before, `${BROKEN}: ${broken}`);
  return { before, after, repaired: [...repaired.values()], left };
}

function changeOf(message: LintMessage, chosen: ReadonlySet<string>): Change | undefined {
  if (message.fix !== undefined) return message.fix;
  const rule = ruleOf(message);
  const all = chosen.has(`${rule}/${message.messageId ?? ''}`) ? 'add' : (CHOSEN[rule] ?? '');
  return message.suggestions?.find(({ messageId }) => all.split(' ').includes(messageId ?? '?'))?.fix;
}

function ruleOf({ ruleId }: LintMessage): string {
  return (ruleId ?? '').replace('express-hangup/', '');
}

function findingOf(
  message: LintMessage,
  text: string,
  before: string,
  passes: readonly Change[][],
  { file }: Inspection,
): Finding {
  const offset = originalOffset(offsetOf(message, text), passes);
  const rule = ruleOf(message);
  const { messageId = '', message: words } = message;
  const head = before.slice(0, offset);
  const line = head.split('\n').length;
  const column = offset - head.lastIndexOf('\n');
  const endLine = line + (message.endLine ?? message.line) - message.line;
  return { key: `${file}:${rule}:${offset}`, file, rule, messageId, line, endLine, column, message: words };
}

/** The changes that do not touch each other, in the order of the text: what stands first goes first. */
function apart<C extends Change>(changes: readonly C[]): C[] {
  const ordered = [...changes].sort((a, b) => a.range[0] - b.range[0] || a.range[1] - b.range[1]);
  const kept: C[] = [];
  for (const change of ordered) {
    const before = kept.at(-1);
    if (before === undefined || change.range[0] > before.range[1]) kept.push(change);
  }
  return kept;
}

function changed(text: string, changes: readonly Change[]): string {
  let result = '';
  let at = 0;
  for (const { range, text: given } of changes) {
    result += text.slice(at, range[0]) + given;
    at = range[1];
  }
  return result + text.slice(at);
}

const BROKEN = 'a repair broke its syntax, and was not made';

function untouched(before: string, unreadable: string): FileOutcome {
  return { before, after: before, repaired: [], left: [], unreadable };
}

function lint(text: string, config: object[], { linter, filename }: Inspection): LintMessage[] {
  try {
    return linter.verify(text, config, { filename });
  } catch (error) {
    // A file with thousands of nested expressions exhausts the stack. The others can still be repaired.
    const [reason = ''] = (error as Error).message.split('\n');
    return [{ ruleId: null, message: `ESLint failed: ${reason}`, line: 1, column: 1, fatal: true }];
  }
}

function fatalIn(messages: readonly LintMessage[]): string | undefined {
  return messages.find(
    ({ fatal, message }) => fatal === true || /^No matching conf|^File ignored/.test(message),
  )?.message;
}

function withImports(text: string, inspection: Inspection): string {
  const [message] = lint(text, inspection.imports, inspection);
  return message?.fix === undefined ? text : changed(text, [message.fix]);
}
