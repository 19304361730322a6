import { isIdentifier, keyName, unwrap, walk, type Node, type Source } from '../code/node';
import { originText, ownProperty, variableOf } from '../code/origin';
import { CALL_SHAPES } from './call-shapes';

/** Why a callee that looks known may be another: its client has a signal of its own, or `fetch` was replaced. */
export function whyUnlikeItsName(callee: Node, source: Source): string | undefined {
  const { displaced, replacesFetch } = factsOf(source);
  if (replacesFetch && /^global\..*fetch$/.test(originText(callee, source) ?? ''))
    return 'this file puts another function in the place of `fetch`';
  return displaced || isMadeWithSignal(callee, source) ? OWN_SIGNAL : undefined;
}

/** The reason for a client that was made with a signal: a signal of a call would replace it. */
export const OWN_SIGNAL = 'its client has a signal of its own, which another would displace';

/** Whether the options of `axios.create({ … })` and its like name a signal. */
export function optionsHaveSignal(made: Node): boolean {
  return (made.arguments ?? []).some((each) => {
    const options = unwrap(each);
    return (
      options.type === 'ObjectExpression' && options.properties?.some((one) => keyName(one) === 'signal')
    );
  });
}

function isMadeWithSignal(callee: Node, source: Source): boolean {
  let node: Node | undefined = unwrap(callee);
  for (let depth = 0; node !== undefined && depth < 16; depth += 1) {
    if (node.type === 'CallExpression' && optionsHaveSignal(node)) return true;
    if (node.type === 'MemberExpression')
      node = ownProperty(node, source) ?? (node.object && unwrap(node.object));
    else if (node.type === 'CallExpression' || node.type === 'NewExpression')
      node = node.callee && unwrap(node.callee);
    else node = valueOf(node, source);
  }
  return false;
}

function valueOf(node: Node, source: Source): Node | undefined {
  const def = isIdentifier(node) ? variableOf(node, source)?.defs[0] : undefined;
  const init = def?.type === 'Variable' ? def.node.init : undefined;
  return init == null ? undefined : unwrap(init);
}

interface Facts {
  /** Whether `axios.defaults.signal` is set. */
  readonly displaced: boolean;
  /** Whether the global `fetch` is set to something that is not seen to be a `fetch` too. */
  readonly replacesFetch: boolean;
}

const known = new WeakMap<Source, Facts>();

function factsOf(source: Source): Facts {
  let facts = known.get(source);
  if (facts !== undefined) return facts;
  let [displaced, replacesFetch] = [false, false];
  walk(source.ast, source, ({ type, left, right }) => {
    if (type !== 'AssignmentExpression' || left === undefined) return;
    const text = source.getText(left);
    if (/\.defaults\.signal$/.test(text)) displaced = true;
    if (
      /^((global|globalThis|self)\.)?fetch$/.test(text) &&
      isGlobal(left, source) &&
      !isFetch(right, source)
    )
      replacesFetch = true;
  });
  known.set(source, (facts = { displaced, replacesFetch }));
  return facts;
}

function isGlobal(left: Node, source: Source): boolean {
  return !isIdentifier(left) || (variableOf(left, source)?.defs.length ?? 0) === 0;
}

function isFetch(value: Node | undefined, source: Source): boolean {
  const text = originText(value, source);
  return text !== undefined && /fetch$/.test(text) && CALL_SHAPES.some(([origin]) => origin.test(text));
}
