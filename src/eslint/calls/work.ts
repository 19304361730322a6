import { isFunction, isIdentifier, isWithin, keyName, unwrap, type Node, type Source } from '../code/node';
import { variableOf } from '../code/origin';

/** The function that a call belongs to, with the names of its response and its `next`, where it has them. */
export interface Within {
  readonly fn: Node;
  readonly res?: string | undefined;
  readonly next?: string | undefined;
}

/** Calls that only look at what has come, or answer with it. */
const LOOKS =
  /^(json|text|arrayBuffer|blob|buffer|bytes|formData|then|catch|finally|map|filter|find|reduce|flatMap|slice|sort|join|split|trim|get|has|includes|startsWith|endsWith|replace|toString|toFixed|all|allSettled|race|any|parse|stringify|keys|values|entries|from|fromEntries|isArray|assign|log|info|warn|error|debug|clearTimeout|Number|String|Boolean|Error|set|status|type|pipe)$/;
const ENDS = /^(next|reject|resolve)$/;

/** Whether a call does more than look at a result, log, or answer. */
export function isWork(call: Node, { res, next }: Within): boolean {
  if (call.callee === undefined) return false;
  const callee = unwrap(call.callee);
  const name = nameOf(callee);
  if (isFunction(callee) || LOOKS.test(name) || ENDS.test(name)) return false;
  return rootOf(callee) !== (res ?? '') && name !== next;
}

/** What a callee is called: `save` of `order.save`, `save` of `save`. */
export function nameOf(callee: Node): string {
  return (callee.type === 'MemberExpression' ? keyName(callee) : callee.name) ?? '';
}

/** The name with which an expression begins: `res` of `res!.status(500).json`. */
export function rootOf(node: Node): string | undefined {
  let inner = unwrap(node);
  for (let next: Node | undefined = inner; next !== undefined;) {
    inner = unwrap(next);
    next =
      inner.type === 'MemberExpression'
        ? inner.object
        : inner.type === 'CallExpression'
          ? inner.callee
          : undefined;
  }
  return isIdentifier(inner) ? inner.name : undefined;
}

/** Whether a node sets something that outlives its function: a member, or a variable from outside. */
export function setsOutside(node: Node, { fn, res }: Within, source: Source): boolean {
  if (node.type !== 'AssignmentExpression' && node.type !== 'UpdateExpression') return false;
  const target = node.type === 'UpdateExpression' ? node.argument : node.left;
  if (target == null) return false;
  if (target.type === 'MemberExpression') return rootOf(target) !== res || res === undefined;
  const name = isIdentifier(target) ? variableOf(target, source)?.defs[0]?.name : undefined;
  return isIdentifier(target) && (name === undefined || !isWithin(name, fn));
}
