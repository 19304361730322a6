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
import { isWork, nameOf, rootOf, setsOutside, type Within } from './work';

/** What handles the failure of a call: a `catch`, a listener of `.catch()`, or `allSettled()`. */
interface Catcher {
  /** The statement or expression after which the code goes on when the failure has been handled. */
  readonly whole: Node;
  /** The code that runs then; `undefined` where none is seen. */
  readonly body: Node | undefined;
}

/** Why an abort would do more than end the call: the failure handler does more than answer, or work goes on after it. */
export function whyCaught(call: Node, within: Within, source: Source): string | undefined {
  for (const { whole, body } of catchersOf(call, within.fn)) {
    if (body !== undefined && tellsAborts(body, source)) continue;
    if (body !== undefined && doesWork(body, within, source))
      return 'what deals with its failure does more than answer, and an abort would come there too';
    if (body !== undefined && leaves(body)) continue;
    if (isInLoop(whole, within.fn))
      return 'its failure is overlooked in a loop, which an abort would only keep busy';
    if (goesOn(whole, within, source))
      return 'its failure is overlooked, and work follows that would take an abort for one';
  }
  return undefined;
}

function catchersOf(call: Node, fn: Node): Catcher[] {
  const found: Catcher[] = [];
  for (let node = call; node !== fn && node.parent != null; node = node.parent) {
    const { parent } = node;
    if (parent.type === 'TryStatement' && parent.block === node && parent.handler != null)
      found.push({ whole: parent, body: parent.handler.body as Node });
    const outer = parent.type === 'MemberExpression' && parent.object === node ? parent.parent : undefined;
    const listener = outer?.type === 'CallExpression' ? listenerOf(outer, keyName(parent)) : undefined;
    if (outer !== undefined && listener !== undefined) found.push({ whole: outer, body: listener });
    const settled = parent.type === 'ArrayExpression' ? parent.parent : parent;
    if (
      settled?.type === 'CallExpression' &&
      settled.callee &&
      nameOf(unwrap(settled.callee)) === 'allSettled'
    )
      found.push({ whole: settled, body: undefined });
  }
  return found;
}

function listenerOf({ arguments: given = [] }: Node, method: string | undefined): Node | undefined {
  return method === 'catch' ? given[0] : method === 'then' ? given[1] : undefined;
}

/** Whether a `catch` first tells aborts, or our faults, from other errors. */
function tellsAborts(body: Node, source: Source): boolean {
  const [first] = statementsOf(isFunction(body) ? body : ({ body } as Node));
  const isExit = first?.type === 'IfStatement' && leaves(first.consequent as Node);
  return isExit && /Abort|abort|classif\w*Error/.test(source.getText(first.test as Node));
}

const PASSES_ON = /log|err|next|reject|warn|noop|fail/i;

function doesWork(body: Node, within: Within, source: Source): boolean {
  if (!isFunction(body) && body.type !== 'BlockStatement') return isUnknownListener(body, within);
  return doesMoreThanAnswer(body, within, source);
}

/** Whether code that deals with a failure does more than log it, answer and hand on. What an answer is made of is no work. */
export function doesMoreThanAnswer(code: Node, within: Within, source: Source): boolean {
  let works = false;
  walk(code, source, (node) => {
    if (node.type === 'CallExpression' && isAnswering(node, within)) return false;
    const isCall = node.type === 'CallExpression' && isWork(node, within) && !isHandedOn(node, within);
    if (isCall || setsOutside(node, within, source)) works = true;
    return !works;
  });
  return works;
}

function isAnswering({ callee }: Node, { res }: Within): boolean {
  return res !== undefined && callee !== undefined && rootOf(callee) === res;
}

/** Whether a listener may do work. `.catch(next)`, `.catch(logError)` and `.catch(sendError(res))` do none. */
function isUnknownListener(listener: Node, within: Within): boolean {
  const inner = unwrap(listener);
  if (inner.type === 'CallExpression') return !isHandedOn(inner, within);
  return !PASSES_ON.test(nameOf(inner));
}

/** Whether a call gets the response or `next` as an argument, and so answers. */
function isHandedOn({ arguments: given = [], callee }: Node, { res, next }: Within): boolean {
  const isName = callee !== undefined && /flash|log|trace/i.test(nameOf(unwrap(callee)));
  return isName || given.some((each) => isIdentifier(each) && (each.name === res || each.name === next));
}

/** Whether a block, or a listener's body, ends by leaving the function around it. */
function leaves(body: Node): boolean {
  if (isFunction(body)) return statementsOf(body).at(-1)?.type === 'ThrowStatement';
  const last = body.type === 'BlockStatement' ? statementsOf({ body } as unknown as Node).at(-1) : body;
  return /^(Return|Throw|Break)Statement$/.test(last?.type ?? '');
}

function isInLoop(whole: Node, fn: Node): boolean {
  const loop = around(whole, (node) => node === fn || isFunction(node) || /^(For|While|Do)/.test(node.type));
  return loop !== undefined && !isFunction(loop);
}

/** Whether work follows that runs although the call has failed. */
function goesOn(whole: Node, within: Within, source: Source): boolean {
  let follows = false;
  walk(within.fn, source, (node) => {
    if (isWithin(node, whole)) return false;
    const isLater = node.range[0] >= whole.range[1];
    if (
      isLater &&
      ((node.type === 'CallExpression' && isWork(node, within)) || setsOutside(node, within, source))
    )
      follows = true;
    return !follows;
  });
  return follows;
}
