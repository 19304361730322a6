import { isIdentifier, keyName, unwrap, type Node, type Source, type Token } from '../code/node';
import { originText, variableOf } from '../code/origin';
import { literalOf, type OutboundCall } from './outbound';

/** One replacement in a text. */
export interface Edit {
  readonly range: readonly [number, number];
  readonly text: string;
}

/** What stands at the place of a call's signal. */
export type SignalState =
  | { readonly kind: 'none' }
  /** The call has only a time limit of its own: `AbortSignal.timeout(5000)`. */
  | { readonly kind: 'limit'; readonly value: Node }
  | { readonly kind: 'given' };

/** Whether a call has a signal already. */
export function signalState({ call, at, shape }: OutboundCall, source: Source): SignalState {
  const options = call.arguments?.[at];
  const object = options && literalOf(options, source);
  const own = object?.properties?.find((each) => keyName(each) === shape.key);
  if (own === undefined) {
    const spread = object?.properties?.find((each) => each.type === 'SpreadElement')?.argument;
    return isHandedOn(spread ?? options, source) ? { kind: 'given' } : { kind: 'none' };
  }
  const value = own.value as Node;
  const isLimit = originText(value, source) === 'global.AbortSignal.timeout()';
  return isLimit ? { kind: 'limit', value } : { kind: 'given' };
}

/** Whether the options are a parameter. They may then hold a signal: that depends on the caller. */
function isHandedOn(options: Node | null | undefined, source: Source): boolean {
  const inner = options && unwrap(options);
  if (!isIdentifier(inner)) return false;
  return variableOf(inner, source)?.defs[0]?.type === 'Parameter';
}

/**
 * The edits that give a call a signal; `undefined` where the options are a value that is not seen. If a spread may bring a
 * signal of its own, ours is put before it, so that the spread's signal wins.
 */
export function addSignal(outbound: OutboundCall, signal: string, source: Source): Edit[] | undefined {
  const { call, at, shape } = outbound;
  const given = call.arguments ?? [];
  const property = signal === shape.key ? signal : `${shape.key}: ${signal}`;
  const options = given[at];
  if (options === undefined) return [insertArgument(call, given, at, `{ ${property} }`, source)];
  const inner = unwrap(options);
  if (inner.type === 'ObjectExpression') return [insertProperty(inner, property, source)];
  if (isIdentifier(inner, 'undefined') || (inner.type === 'Literal' && inner.raw === 'null'))
    return [{ range: options.range, text: `{ ${property} }` }];
  if (shape.options === 'before-callback') {
    const text = `{ ${property} }, `;
    return [{ range: [options.range[0], options.range[0]], text }];
  }
  if (literalOf(inner, source) === undefined) return undefined;
  return [{ range: options.range, text: `{ ${property}, ...${source.getText(options)} }` }];
}

function insertArgument(
  call: Node,
  given: readonly Node[],
  place: number,
  text: string,
  source: Source,
): Edit {
  const last = given.at(-1);
  const missing = 'undefined, '.repeat(place - given.length);
  const close = source.getLastToken(call);
  if (last === undefined || close === null) {
    const end = call.range[1] - 1;
    return { range: [end, end], text: `${missing}${text}` };
  }
  const before = source.getTokenBefore(close);
  // A trailing comma: prettier's style in a call of several lines.
  const end = before?.value === ',' ? before : undefined;
  if (end === undefined) {
    const behind = before?.range[1] ?? last.range[1];
    return { range: [behind, behind], text: `, ${missing}${text}` };
  }
  const indent = indentOf(last, source);
  const gap = isOnLineOf(close, end) ? ' ' : `${eol(source)}${indent}`;
  const at = end.range[1] + commentBehind(end.range[1], source).length;
  return { range: [at, at], text: `${gap}${missing}${text},` };
}

function insertProperty(object: Node, property: string, source: Source): Edit {
  const properties = object.properties ?? [];
  const [first] = properties;
  const last = properties.at(-1);
  if (first === undefined || last === undefined) {
    const inside = source.getCommentsInside(object);
    const at = object.range[0] + 1;
    if (inside.length > 0) return { range: [at, at], text: ` ${property}, ` };
    return { range: object.range, text: `{ ${property} }` };
  }
  const isTall = first.loc.start.line > object.loc.start.line;
  if (properties.some((each) => each.type === 'SpreadElement')) {
    const gap = isTall ? `${eol(source)}${indentOf(first, source)}` : ' ';
    return { range: [first.range[0], first.range[0]], text: `${property},${gap}` };
  }
  const gap = isTall ? `${eol(source)}${indentOf(last, source)}` : ' ';
  const next = source.getTokenAfter(last);
  const isEnded = next?.value === ',';
  const from = isEnded ? next.range[1] : last.range[1];
  const comment = isTall ? commentBehind(from, source) : '';
  const text = isEnded ? `${comment}${gap}${property},` : `,${comment}${gap}${property}`;
  return { range: [from, from + comment.length], text };
}

const COMMENT_BEHIND = /^[ \t]*(\/\/[^\r\n]*|\/\*((?!\*\/)[^\r\n])*\*\/(?=[ \t]*(\r?\n|$)))/;

/** The comment that ends the line on which something ends, with the blanks before it; empty where there is none. */
export function commentBehind(at: number, { text }: Source): string {
  return COMMENT_BEHIND.exec(text.slice(at))?.[0] ?? '';
}

function isOnLineOf(one: Token, other: Token): boolean {
  return one.loc.start.line === other.loc.end.line;
}

/** The blanks at the start of the line on which a node begins. */
export function indentOf(node: Node | Token, source: Source): string {
  const start = source.text.lastIndexOf('\n', node.range[0] - 1) + 1;
  return /^[ \t]*/.exec(source.text.slice(start))?.[0] ?? '';
}

/** The file's line ending. */
export function eol(source: Source): string {
  return source.text.includes('\r\n') ? '\r\n' : '\n';
}
