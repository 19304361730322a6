import {
  around,
  isFunction,
  isIdentifier,
  isWithin,
  keyName,
  statementsOf,
  unwrap,
  walk,
  type Node,
  type Source,
} from '../code/node';
import type { Project } from '../code/project';
import { runsWithin, type Place } from '../express/handler-around';
import type { OutboundCall } from './outbound';

/** Why a call must not be given a signal unasked; `undefined` where nothing speaks against it. */
export function whyUncertain(
  outbound: OutboundCall,
  { handler, inner }: Place,
  source: Source,
  project: Project,
): string | undefined {
  const { fn, res, next, wrapped, evidence } = handler;
  if (evidence === 'likely') return 'it is not seen that Express calls this function';
  if (!inner.every(runsWithin)) return 'it may run after the request, by a timer, an event or a callback';
  const why = whyUncertainIn(outbound, { fn, res: res?.name, next: next?.name }, source);
  if (why !== undefined) return why;
  return project.express === 4 && !isGuarded(outbound.call, fn, wrapped, project)
    ? 'Express 4 does not look at this promise: its rejection would end the process'
    : undefined;
}

/** The function that a call belongs to, with the names of its response and its `next`, where it has them. */
export interface Within {
  readonly fn: Node;
  readonly res?: string | undefined;
  readonly next?: string | undefined;
}

/** What speaks against an abort of a call in the function around it. */
export function whyUncertainIn(
  { call, shape, changes }: OutboundCall,
  { fn, res, next }: Within,
  source: Source,
): string | undefined {
  if (isInFailure(call, fn)) return 'it stands where a failure is dealt with, which an abort is too';
  if (followsAnswer(call, fn, res, source)) return 'it begins after the answer';
  if (isForgotten(call, res, next, source)) return 'nobody waits for it';
  if (shape.errorEvent === true && !hasCallback(call))
    return 'its abort is an `error` event, which ends the process where nobody listens';
  if (!workFollows(call, fn, res, source)) return undefined;
  if (changes) return 'it changes something, and other work follows that an abort would leave undone';
  return workPrecedes(call, fn, source)
    ? 'something was changed before it, and other work follows that an abort would leave undone'
    : undefined;
}

function hasCallback(call: Node): boolean {
  return isFunction(call.arguments?.at(-1));
}

/** In a `catch` or `finally`, or in the callback of `.catch()`. */
function isInFailure(call: Node, fn: Node): boolean {
  const found = around(call, (node) => {
    if (node === fn || node.type === 'CatchClause') return true;
    return node.parent?.type === 'TryStatement' && node.parent.finalizer === node;
  });
  return found !== fn;
}

const ANSWERS = /^(json|jsonp|send|sendStatus|sendFile|redirect|render|end|download)$/;

/** Whether a statement before this one, in the same or an outer block, has answered the request without returning. */
function followsAnswer(call: Node, fn: Node, res: string | undefined, source: Source): boolean {
  if (res === undefined) return false;
  for (let node: Node = call; node !== fn && node.parent != null; node = node.parent) {
    const siblings = statementsOf(node.parent);
    const before = siblings.slice(0, Math.max(0, siblings.indexOf(node)));
    if (before.some((statement) => isAnswer(statement, res, source))) return true;
  }
  return false;
}

function isAnswer(statement: Node, res: string, source: Source): boolean {
  const expression = statement.type === 'ExpressionStatement' ? (statement.expression as Node) : undefined;
  if (expression === undefined) return false;
  const call = unwrap(expression.type === 'AwaitExpression' ? (expression.argument as Node) : expression);
  const callee = call.type === 'CallExpression' ? call.callee : undefined;
  return (
    callee !== undefined &&
    ANSWERS.test(keyName(callee) ?? '') &&
    source.getText(callee).startsWith(`${res}.`)
  );
}

/** A statement that waits for nothing: `fetch(audit)`, also with a `.catch()` that only logs. */
function isForgotten(call: Node, res: string | undefined, next: string | undefined, source: Source): boolean {
  let top = call;
  while (top.parent != null && isChained(top)) top = top.parent;
  const { parent } = top;
  const isStatement =
    parent?.type === 'ExpressionStatement' ||
    (parent?.type === 'UnaryExpression' && parent.operator === 'void');
  if (!isStatement) return false;
  let answers = false;
  walk(top, source, (node) => {
    if (isIdentifier(node) && (node.name === res || node.name === next)) answers = true;
  });
  return !answers;
}

function isChained(node: Node): boolean {
  const { parent } = node;
  return (
    (parent?.type === 'MemberExpression' && parent.object === node) ||
    (parent?.type === 'CallExpression' && parent.callee === node) ||
    parent?.type === 'ChainExpression'
  );
}

/** Calls that only look at what has come, or answer with it. */
const LOOKS =
  /^(json|text|arrayBuffer|blob|buffer|bytes|formData|then|catch|finally|map|filter|find|reduce|flatMap|slice|sort|join|split|trim|get|has|includes|startsWith|endsWith|replace|toString|toFixed|all|allSettled|race|any|parse|stringify|keys|values|entries|from|fromEntries|isArray|assign|log|info|warn|error|debug|clearTimeout|Number|String|Boolean|Error|set|status|type|pipe)$/;

/** Whether anything stands after the call, or around it in a loop, that does more than read its result and answer. */
function workFollows(call: Node, fn: Node, res: string | undefined, source: Source): boolean {
  const loop = around(call, (node) => node === fn || /^(For|While|Do)/.test(node.type) || isFunction(node));
  if (loop !== undefined && !isFunction(loop)) return true;
  let follows = false;
  walk(fn, source, (node) => {
    if (runsOnFailure(node, call)) return false;
    const isLater = node.type === 'CallExpression' && node.range[0] >= call.range[1];
    const isOuter = node.type === 'CallExpression' && isWithin(call, node) && node !== call;
    if (node === call || (!isLater && !isOuter) || node.callee === undefined || isWithin(node, call)) return;
    const callee = unwrap(node.callee);
    const name = callee.type === 'MemberExpression' ? keyName(callee) : callee.name;
    const isRes = res !== undefined && source.getText(callee).startsWith(`${res}.`);
    const isNext = name === 'next' || name === 'reject' || name === 'resolve';
    if (!isRes && !isNext && !LOOKS.test(name ?? '') && !isFunction(callee)) follows = true;
  });
  return follows;
}

/** A `catch` or `finally` around the call, which an abort runs as every failure does. */
function runsOnFailure(node: Node, call: Node): boolean {
  const tryNode = node.parent?.type === 'TryStatement' ? node.parent : undefined;
  return tryNode?.block !== undefined && node !== tryNode.block && isWithin(call, tryNode.block);
}

const CHANGES =
  /^(save|create|insert|update|delete|remove|destroy|upsert|increment|decrement|publish|enqueue|charge|commit|post|put|patch)([A-Z_]|$)/;

/** Whether a call before this one changes something, by its name. */
function workPrecedes(call: Node, fn: Node, source: Source): boolean {
  let precedes = false;
  walk(fn, source, (node) => {
    if (node.type !== 'CallExpression' || node.callee === undefined || node.range[1] > call.range[0]) return;
    const callee = unwrap(node.callee);
    if (CHANGES.test((callee.type === 'MemberExpression' ? keyName(callee) : callee.name) ?? ''))
      precedes = true;
  });
  return precedes;
}

/** Whether somebody hears of a rejection of this call: a `catch`, a wrapper, or a project that mends Express 4. */
function isGuarded(call: Node, fn: Node, wrapped: boolean, project: Project): boolean {
  if (wrapped || project.has('express-async-errors')) return true;
  for (let node: Node = call; node !== fn && node.parent != null; node = node.parent) {
    const { parent } = node;
    if (parent.type === 'TryStatement' && parent.block === node && parent.handler != null) return true;
    const isCatch =
      parent.type === 'MemberExpression' && parent.object === node && keyName(parent) === 'catch';
    if (isCatch) return true;
  }
  // A callback says how it ended to its own function.
  return fn.async !== true && hasCallback(call) && call.parent?.type === 'ExpressionStatement';
}
