import { isIdentifier, keyName, unwrap, walk, type Node, type Source } from '../code/node';
import type { CallShape } from './call-shapes';

/**
 * The index of the parameter that a function passes on as the options of a call that takes a signal: 1 for
 * `(path, options) => fetch(base + path, { ...options })`. `undefined` where there is none, or where it is not certain that a
 * signal would arrive.
 */
export function optionsParameter(
  fn: Node,
  source: Pick<Source, 'visitorKeys'>,
  shapeOf: (callee: Node) => CallShape | undefined,
): number | undefined {
  const names = (fn.params ?? []).map((param) => {
    const inner = param.type === 'AssignmentPattern' ? param.left : param;
    return isIdentifier(inner) ? inner.name : undefined;
  });
  let found: number | undefined;
  walk(fn, source, (node) => {
    if (node.type !== 'CallExpression' || node.callee === undefined) return;
    const shape = shapeOf(node.callee);
    if (shape?.key !== 'signal' || typeof shape.options === 'string') return;
    const name = handedOn(node.arguments?.[shape.options]);
    const at = name === undefined ? -1 : names.indexOf(name);
    if (at > 0) found = at;
  });
  return found;
}

/** The name whose `signal` the options hold: `options`, or `{ headers, ...options }` with no signal after it. */
function handedOn(options: Node | undefined): string | undefined {
  if (options === undefined) return undefined;
  const inner = unwrap(options);
  if (isIdentifier(inner)) return inner.name;
  if (inner.type !== 'ObjectExpression') return undefined;
  const properties = inner.properties ?? [];
  const spreads = properties.filter((each) => each.type === 'SpreadElement');
  const [spread] = spreads;
  const isOwn = properties.some((each) => keyName(each) === 'signal');
  if (spreads.length !== 1 || isOwn || !isIdentifier(spread?.argument)) return undefined;
  return spread.argument.name;
}
