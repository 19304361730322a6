import { isIdentifier, isWithin, keyName, unwrap, walk, type Node, type Source } from '../code/node';
import { variableOf } from '../code/origin';
import { answersIn } from './answers';
import { nameOf, type Within } from './work';

/** Methods that keep a promise for others: `inFlight.set(key, fetch(url))`. */
const KEEPS = /^(set|add|push|put|store|save|unshift|enqueue|waitUntil)$/;

/** Why the end of the request must not end a call: nobody waits for it before the answer, or others may wait for it too. */
export function whyUnawaited(call: Node, within: Within, source: Source): string | undefined {
  let top = call;
  while (top.parent != null && isChained(top)) top = top.parent;
  const { parent } = top;
  if (parent == null) return undefined;
  if (isStatement(parent)) return answersBy(top, within, source) ? undefined : 'nobody waits for it';
  if (parent.type === 'CallExpression' && parent.callee !== undefined && parent.callee !== top)
    return KEEPS.test(nameOf(unwrap(parent.callee))) ? 'others may wait for it too' : undefined;
  if (parent.type === 'AssignmentExpression' && parent.right === top)
    return whyStored(parent, within, source);
  const isDeclared = parent.type === 'VariableDeclarator' && isIdentifier(parent.id);
  return isDeclared ? whyLate(parent.id, top, within, source) : undefined;
}

function whyStored({ left }: Node, within: Within, source: Source): string | undefined {
  if (!isIdentifier(left)) return 'others may wait for it too';
  const own = variableOf(left, source)?.defs[0]?.name;
  if (own === undefined || !isWithin(own, within.fn)) return 'others may wait for it too';
  return undefined;
}

/** Finds `const audit = fetch(url)` that nothing reads, or nothing before the answer. */
function whyLate(name: Node, value: Node, within: Within, source: Source): string | undefined {
  const reads = (variableOf(name, source)?.references ?? []).filter((each) => each.isRead());
  const first = Math.min(...reads.map(({ identifier }) => identifier.range[0]));
  const isAnswered = answersIn(within, source).some(
    (each) => each.range[0] > value.range[1] && each.range[1] < first,
  );
  return isAnswered || reads.length === 0 ? 'nobody waits for it before the answer' : undefined;
}

function isStatement(parent: Node): boolean {
  return (
    parent.type === 'ExpressionStatement' || (parent.type === 'UnaryExpression' && parent.operator === 'void')
  );
}

/** Whether what is chained to a call answers: `fetch(url).then((answer) => res.json(answer), next)`. */
function answersBy(top: Node, { res, next }: Within, source: Source): boolean {
  let answers = false;
  walk(top, source, (node) => {
    if (isIdentifier(node) && (node.name === res || node.name === next)) answers = true;
  });
  return answers;
}

function isChained(node: Node): boolean {
  const { parent } = node;
  return (
    (parent?.type === 'MemberExpression' && parent.object === node && keyName(parent) !== undefined) ||
    (parent?.type === 'CallExpression' && parent.callee === node) ||
    parent?.type === 'ChainExpression'
  );
}
