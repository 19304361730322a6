import { isFunction, isIdentifier, keyName, unwrap, type Node, type Scope, type Source } from '../code/node';
import type { Handler } from './handlers';

/** Where a node stands: in which handler, and in which functions within it, from the outermost to the innermost. */
export interface Place {
  readonly handler: Handler;
  readonly inner: readonly Node[];
}

/** The handler around a node; `undefined` if there is none. */
export function placeOf(node: Node, handlers: ReadonlyMap<Node, Handler>): Place | undefined {
  const inner: Node[] = [];
  for (let current = node.parent; current != null; current = current.parent) {
    if (!isFunction(current)) continue;
    const handler = handlers.get(current);
    if (handler !== undefined) return { handler, inner: inner.reverse() };
    inner.push(current);
  }
  return undefined;
}

const RUNS_AT_ONCE =
  /^(map|forEach|filter|reduce|reduceRight|flatMap|some|every|find|findIndex|sort|then|from|all|allSettled)$/;

/** Whether a function within a handler runs as part of it, and is not called by a timer, an event or a failure. */
export function runsWithin(fn: Node): boolean {
  const { parent } = fn;
  if (parent?.type === 'NewExpression') return isIdentifier(parent.callee, 'Promise');
  if (parent?.type !== 'CallExpression' || parent.callee === undefined) return false;
  if (parent.callee === fn) return true;
  return RUNS_AT_ONCE.test(keyName(unwrap(parent.callee)) ?? '') && parent.arguments?.[0] === fn;
}

/** The expression of the request's signal at a node, `req.signal`; `undefined` where the request has no name there. */
export function requestName(node: Node, handler: Handler, source: Source): string | undefined {
  const param = handler.req.type === 'TSParameterProperty' ? handler.req.parameter : handler.req;
  if (!isIdentifier(param)) return undefined;
  let scope: Scope | null = source.getScope(node);
  while (scope !== null) {
    const variable = scope.set.get(param.name);
    if (variable !== undefined) {
      const isParam = variable.defs[0]?.type === 'Parameter' && variable.defs[0].node === handler.fn;
      const isOverwritten = variable.references.some((reference) => reference.isWrite());
      return isParam && !isOverwritten ? param.name : undefined;
    }
    scope = scope.upper;
  }
  return undefined;
}
