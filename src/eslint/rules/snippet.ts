import type { Node, Reference, Source } from '../code/node';
import { isFunction, isIdentifier, keyName, statementsOf, stringOf, unwrap } from '../code/node';
import { variableOf } from '../code/origin';

/** The parts of the snippet. */
export interface Snippet {
  /** Each `controller.signal`. */
  readonly reads: readonly Node[];
  /** The statements `req.on('close', …)` that do nothing but abort. */
  readonly listeners: readonly Node[];
  /** The timer, with its duration and all statements that only concern it. */
  readonly timer: { readonly ms: Node; readonly statements: readonly Node[] } | undefined;
  /** Whether the timer is stopped before the handler is done, so that the rest of the handler has no limit. */
  readonly stopsEarly: boolean;
  /** Whether the controller or the timer has other uses, too. */
  readonly entangled: boolean;
}

/** Reads what a handler does with a controller; `undefined` where that is not the snippet. */
export function readSnippet(declarator: Node, source: Source): Snippet | undefined {
  const variable = isIdentifier(declarator.id) ? variableOf(declarator.id, source) : undefined;
  const uses = variable?.references.filter((reference) => reference.isRead());
  if (uses === undefined) return undefined;
  const reads: Node[] = [];
  const listeners = new Set<Node>();
  const timers = new Set<Node>();
  let entangled = false;
  for (const { identifier } of uses) {
    const member = identifier.parent;
    const name =
      member?.type === 'MemberExpression' && member.object === identifier ? keyName(member) : undefined;
    const owner = name === 'abort' && member !== undefined ? callbackOwner(member) : undefined;
    if (name === 'signal' && member !== undefined) reads.push(member);
    else if (owner !== undefined && isCloseListener(owner)) listeners.add(owner);
    else if (owner !== undefined && isTimer(owner)) timers.add(owner);
    else entangled = true;
  }
  if (listeners.size === 0 && timers.size === 0) return undefined;
  const [call] = timers;
  const timer = call && timerOf(call, source);
  const messy = entangled || timers.size > 1 || (call !== undefined && timer === undefined);
  const lone = [...listeners]
    .map((each) => each.parent)
    .filter((each) => each?.type === 'ExpressionStatement');
  const onlyThese = [...listeners].every((each) => doesNothingElse(each, timer?.name));
  const stops = (timer?.statements ?? []).slice(1).filter((each) => !isInside(each, lone as Node[]));
  return {
    reads,
    listeners: lone as Node[],
    stopsEarly: stops.some(
      ({ parent }) => parent?.parent?.type !== 'TryStatement' || parent.parent.finalizer !== parent,
    ),
    timer: timer && {
      ms: timer.ms,
      statements: timer.statements.filter((each) => !isInside(each, lone as Node[])),
    },
    entangled: messy || lone.length !== listeners.size || !onlyThese,
  };
}

/** The call to which the function around `controller.abort` is handed. */
function callbackOwner(member: Node): Node | undefined {
  let node: Node | undefined = member.parent;
  if (node?.type === 'CallExpression' && node.arguments?.includes(member) === true) return node;
  while (node !== undefined && !isFunction(node)) node = node.parent ?? undefined;
  return node?.parent?.type === 'CallExpression' ? node.parent : undefined;
}

function isTimer(call: Node): boolean {
  return isIdentifier(call.callee, 'setTimeout') && doesNothingElse(call, undefined);
}

function isCloseListener(call: Node): boolean {
  const callee = call.callee && unwrap(call.callee);
  const name = callee?.type === 'MemberExpression' ? keyName(callee) : undefined;
  return (
    /^(on|once|addListener)$/.test(name ?? '') &&
    /^(close|aborted)$/.test(stringOf(call.arguments?.[0]) ?? '')
  );
}

/** Whether a callback only aborts, also under a condition of its own, and clears the timer. */
function doesNothingElse(call: Node, timer: string | undefined): boolean {
  const callback = call.arguments?.find((each) => isFunction(each));
  if (callback === undefined) return true;
  const statements = statementsOf(callback);
  const all = statements.length > 0 ? statements : [callback.body as Node];
  return all.every((each) => isAbortOrClear(each, timer));
}

function isAbortOrClear(statement: Node, timer: string | undefined): boolean {
  if (statement.type === 'IfStatement') {
    const inner = statement.consequent as Node;
    const branch = statementsOf({ ...statement, body: inner });
    return (
      statement.alternate == null &&
      (branch.length > 0 ? branch : [inner]).every((each) => isAbortOrClear(each, timer))
    );
  }
  const expression = (statement.type === 'ExpressionStatement' ? statement.expression : statement) as Node;
  if (expression.type !== 'CallExpression' || expression.callee === undefined) return false;
  const callee = unwrap(expression.callee);
  // Some other code may look for a reason that is given here.
  if (callee.type === 'MemberExpression')
    return keyName(callee) === 'abort' && (expression.arguments ?? []).length === 0;
  return (
    isIdentifier(callee, 'clearTimeout') && timer !== undefined && expression.arguments?.[0]?.name === timer
  );
}

function timerOf(
  call: Node,
  source: Source,
): { ms: Node; statements: Node[]; name: string | undefined } | undefined {
  const ms = call.arguments?.[1];
  const { parent } = call;
  if (ms === undefined || parent === undefined) return undefined;
  if (parent.type === 'ExpressionStatement') return { ms, statements: [parent], name: undefined };
  const declaration = parent.type === 'VariableDeclarator' ? parent.parent : undefined;
  const variable = isIdentifier(parent.id) ? variableOf(parent.id, source) : undefined;
  if (declaration?.declarations?.length !== 1 || variable === undefined) return undefined;
  const cleared = variable.references.filter((reference) => reference.isRead()).map(clearingStatement);
  if (cleared.some((each) => each === undefined)) return undefined;
  return { ms, statements: [declaration, ...(cleared as Node[])], name: variable.name };
}

/** The statement `clearTimeout(timer);` around a reference. */
function clearingStatement({ identifier }: Reference): Node | undefined {
  const call = identifier.parent;
  const isClear = call?.type === 'CallExpression' && isIdentifier(call.callee, 'clearTimeout');
  const statement = isClear ? call.parent : undefined;
  return statement?.type === 'ExpressionStatement' ? statement : undefined;
}

function isInside(node: Node, outer: readonly Node[]): boolean {
  return outer.some(({ range }) => node.range[0] >= range[0] && node.range[1] <= range[1]);
}
