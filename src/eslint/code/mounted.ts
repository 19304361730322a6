import { walk, type Node, type Source } from './node';
import { originText } from './origin';

const known = new WeakMap<Source, Map<string, Node[]>>();

/** The calls in a file whose callee has one of these origins, `express-hangup.hangup`. */
export function callsOf(origin: string, source: Source): readonly Node[] {
  let calls = known.get(source);
  if (calls === undefined) known.set(source, (calls = collect(source)));
  return calls.get(origin) ?? [];
}

function collect(source: Source): Map<string, Node[]> {
  const calls = new Map<string, Node[]>();
  walk(source.ast, source, (node) => {
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return;
    const text = originText(node.callee, source);
    if (text !== undefined) calls.set(text, [...(calls.get(text) ?? []), node]);
  });
  return calls;
}

/** The calls of one of our exports, also where it is used before its import is added. */
export function callsOfOurs(name: string, source: Source): readonly Node[] {
  return [...callsOf(`express-hangup.${name}`, source), ...callsOf(`global.${name}`, source)];
}
