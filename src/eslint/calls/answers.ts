import type { Node, Source } from '../code/node';
import { isFunction, isIdentifier, isWithin, statementsOf, unwrap, walk } from '../code/node';
import { nameOf, rootOf, type Within } from './work';

const ANSWERS = /^(json|jsonp|send|sendStatus|sendFile|redirect|render|end|download)$/;
/** Usual names of functions that get the response and answer with it. */
const ANSWERS_BY =
  /answer|repl[iy]|respon[ds]|send|json|render|redirect|error|fail|success|ok$|created|pipe/i;

/** Whether the request may have been answered, or handed on, before a call begins. */
export function followsAnswer(call: Node, within: Within, source: Source): boolean {
  return answersIn(within, source).some((each) => each.range[1] <= call.range[0] && mayReach(each, call));
}

/** The calls in a function that answer its request or hand it on. Inner functions are left out: they may run at another time. */
export function answersIn(within: Within, source: Source): Node[] {
  const found: Node[] = [];
  walk(within.fn, source, (node) => {
    if (isFunction(node) && node !== within.fn && !isWithin(within.fn, node)) return false;
    if (isAnswer(node, within)) found.push(node);
    return true;
  });
  return found;
}

function isAnswer(node: Node, { res, next }: Within): boolean {
  if (node.type !== 'CallExpression' || node.callee === undefined) return false;
  const callee = unwrap(node.callee);
  const name = nameOf(callee);
  if (next !== undefined && isIdentifier(callee, next)) return true;
  if (res === undefined) return false;
  if (rootOf(callee) === res) return ANSWERS.test(name);
  return ANSWERS_BY.test(name) && (node.arguments ?? []).some((each) => isIdentifier(each, res));
}

/** Whether control may come from one node to a later one of the same function, as far as the statements around them tell. */
function mayReach(from: Node, to: Node): boolean {
  for (let node = from; node.parent != null; node = node.parent) {
    const { parent } = node;
    if (isWithin(to, parent)) return !isElsewhere(parent, node, to);
    if (/^(Return|Throw)Statement$/.test(parent.type)) return false;
    const siblings = statementsOf(parent);
    if (siblings.slice(siblings.indexOf(node) + 1).some(leaves)) return false;
  }
  return false;
}

function leaves({ type }: Node): boolean {
  return /^(Return|Throw)Statement$/.test(type);
}

/** Whether two parts of a statement exclude each other: the branches of an `if`, the cases of a `switch`. */
function isElsewhere(common: Node, one: Node, other: Node): boolean {
  if (common.type === 'IfStatement' || common.type === 'ConditionalExpression')
    return one === common.consequent && common.alternate != null && isWithin(other, common.alternate);
  if (common.type !== 'SwitchStatement' || one.type !== 'SwitchCase') return false;
  const statements = one.consequent as Node[];
  const all = statements.flatMap((each) => [each, ...statementsOf(each)]);
  return all.some((each) => leaves(each) || each.type === 'BreakStatement');
}
