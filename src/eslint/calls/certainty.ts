import type { Node, Source } from '../code/node';
import { around, isFunction, isIdentifier, isWithin, keyName, unwrap, walk } from '../code/node';
import type { Project } from '../code/project';
import { runsWithin, type Place } from '../express/handler-around';
import { followsAnswer } from './answers';
import { whyCaught } from './failures';
import type { OutboundCall } from './outbound';
import { whyUnawaited } from './unawaited';
import { isWork, type Within } from './work';

/** Why a call must not get a signal without being asked; `undefined` if there is no reason against it. */
export function whyUncertain(
  outbound: OutboundCall,
  { handler, inner }: Place,
  source: Source,
  project: Project,
): string | undefined {
  const { fn, res, next, wrapped, evidence } = handler;
  if (evidence === 'likely') return 'it is not seen that Express calls this function';
  if (fn.generator === true) return 'a generator runs when, and as far as, its caller wants';
  if (usesArguments(fn, source)) return 'its parameters may be changed through `arguments`';
  if (!inner.every(runsWithin)) return 'it may run after the request, by a timer, an event or a callback';
  const why = whyUncertainIn(outbound, { fn, res: res?.name, next: next?.name }, source);
  if (why !== undefined) return why;
  return project.express === 4 && !isGuarded(outbound.call, fn, wrapped, project)
    ? 'Express 4 does not look at this promise: its rejection would end the process'
    : undefined;
}

/** The reason in the surrounding function against aborting a call. */
export function whyUncertainIn(
  { call, shape, changes, caution }: OutboundCall,
  within: Within,
  source: Source,
): string | undefined {
  const { fn } = within;
  if (caution !== undefined) return caution;
  if (isInFailure(call, fn)) return 'it stands where a failure is dealt with, which an abort is too';
  if (followsAnswer(call, within, source)) return 'it begins after the answer';
  const unawaited = whyUnawaited(call, within, source);
  if (unawaited !== undefined) return unawaited;
  if (shape.errorEvent === true && !hasCallback(call))
    return 'its abort is an `error` event, which ends the process where nobody listens';
  const caught = whyCaught(call, within, source);
  if (caught !== undefined) return caught;
  if (!workFollows(call, within, source)) return undefined;
  if (changes) return 'it changes something, and other work follows that an abort would leave undone';
  return workPrecedes(call, fn, source)
    ? 'something was changed before it, and other work follows that an abort would leave undone'
    : undefined;
}

function usesArguments(fn: Node, source: Source): boolean {
  if (fn.type === 'ArrowFunctionExpression') return false;
  let found = false;
  walk(fn, source, (node) => {
    if (isIdentifier(node, 'arguments')) found = true;
    // Another function has `arguments` of its own; an arrow function has not.
    return node === fn || !isFunction(node) || node.type === 'ArrowFunctionExpression';
  });
  return found;
}

function hasCallback(call: Node): boolean {
  return isFunction(call.arguments?.at(-1));
}

/** Whether a call is in a `catch` or `finally`, or in the callback of `.catch()`. */
function isInFailure(call: Node, fn: Node): boolean {
  const found = around(call, (node) => {
    if (node === fn || node.type === 'CatchClause') return true;
    return node.parent?.type === 'TryStatement' && node.parent.finalizer === node;
  });
  return found !== fn;
}

/** Whether anything stands after the call, or around it in a loop, that does more than read its result and answer. */
function workFollows(call: Node, within: Within, source: Source): boolean {
  const { fn } = within;
  const loop = around(call, (node) => node === fn || /^(For|While|Do)/.test(node.type) || isFunction(node));
  if (loop !== undefined && !isFunction(loop)) return true;
  let follows = false;
  walk(fn, source, (node) => {
    if (runsOnFailure(node, call)) return false;
    const isLater = node.range[0] >= call.range[1];
    const isOuter = isWithin(call, node) && node !== call;
    if (node.type === 'CallExpression' && (isLater || isOuter) && isWork(node, within)) follows = true;
    return !follows;
  });
  return follows;
}

/** Whether a node is a `catch` or `finally` around the call. An abort runs it, as every failure does. */
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
  // A call with a callback reports its failure to that.
  return fn.async !== true && hasCallback(call) && call.parent?.type === 'ExpressionStatement';
}
