import type { Edit } from '../calls/add-signal';
import { importEdit, imported, localName } from '../code/imports';
import { stringOf, walk, type Node, type Source } from '../code/node';
import { originText } from '../code/origin';
import { removeStatement } from '../code/remove';
import { registrationOf } from '../express/registration';
import type { RuleKit } from '../rule';

/** One call of another timeout middleware, in terms of ours. */
export interface Migrated {
  readonly call: Node;
  /** The duration, as the new call has it. */
  readonly ms: string;
}

/** The statement that brings a package in; `undefined` where the file does not. */
export function bringsIn(name: string, source: Source): Node | undefined {
  return source.ast.body.find((statement) => {
    if (statement.type === 'ImportDeclaration') return stringOf(statement.source) === name;
    const declarations = statement.type === 'VariableDeclaration' ? (statement.declarations ?? []) : [];
    const [only] = declarations;
    return declarations.length === 1 && originText(only?.init, source) === name;
  });
}

/**
 * The edits that put `hangup()` and `deadline()` in the place of another package's calls, and its import away. `undefined`
 * where a use of it is left that is none of these calls.
 */
export function migration(
  statement: Node,
  name: string,
  calls: readonly Migrated[],
  { source, settings }: RuleKit,
): Edit[] | undefined {
  if (hasOtherUse(name, statement, calls, source)) return undefined;
  const missing = new Map<string, string>();
  const replaced = calls.map(({ call, ms }): Edit => {
    const ours = isWhole(call, source) ? 'hangup' : 'deadline';
    const { local } = imported(ours, source, true);
    const isKnown =
      settings.importsAreAdded === true || localName(ours, 'express-hangup', source) !== undefined;
    if (!isKnown) missing.set(ours, local);
    const given = ours === 'hangup' ? `{ deadline: ${ms} }` : ms;
    return { range: call.range, text: `${local}(${given})` };
  });
  if (missing.size === 0) return [removeStatement(statement, source), ...replaced];
  const edit = importEdit([...missing], 'express-hangup', source);
  // Our import replaces theirs, unless a name is added to an import of ours that is there.
  if (edit.text.startsWith(',')) return [removeStatement(statement, source), edit, ...replaced];
  return [{ range: statement.range, text: edit.text.trim() }, ...replaced];
}

/** Whether a call stands for the whole app: alone in `app.use(…)`. */
function isWhole(call: Node, source: Source): boolean {
  const registration = call.parent && registrationOf(call.parent, source);
  return registration?.method === 'use' && registration.call.arguments?.[0] === call;
}

function hasOtherUse(name: string, statement: Node, calls: readonly Migrated[], source: Source): boolean {
  let found = false;
  walk(source.ast, source, (node) => {
    if (node === statement || calls.some(({ call }) => node === call)) return false;
    if (node.type === 'Identifier' && isReference(node) && isOf(name, node, source)) found = true;
    return !found;
  });
  return found;
}

function isReference({ parent, ...node }: Node): boolean {
  const isKey =
    parent?.type === 'Property' && parent.key?.range[0] === node.range[0] && parent.shorthand !== true;
  const isMember = parent?.type === 'MemberExpression' && parent.property?.range[0] === node.range[0];
  return !isKey && !isMember;
}

function isOf(name: string, node: Node, source: Source): boolean {
  const text = originText(node, source);
  return text === name || text?.startsWith(`${name}.`) === true;
}

/** `10000` as people write it: `10_000`. */
export function grouped(ms: number): string {
  return ms >= 10_000 ? String(ms).replace(/\B(?=(\d{3})+$)/g, '_') : String(ms);
}
