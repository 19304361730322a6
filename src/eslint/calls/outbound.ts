import { isFunction, isIdentifier, keyName, stringOf, unwrap, type Node, type Source } from '../code/node';
import { originOf, originText, variableOf } from '../code/origin';
import type { OtherFiles } from './other-files';
import { CALL_SHAPES, type CallShape } from './call-shapes';
import { OWN_SIGNAL, whyUnlikeItsName } from './own-signal';
import { optionsParameter } from './wrappers';

/** A call that waits for an upstream or for other work, and could get a signal. */
export interface OutboundCall {
  readonly call: Node;
  readonly shape: CallShape;
  /** What it is called in messages, `axios.get()`. */
  readonly name: string;
  /** Where the options stand or would stand among the arguments. */
  readonly at: number;
  /** Whether it may change something elsewhere. */
  readonly changes: boolean;
  /** Why it may be another call than its name says; `undefined` if nothing suggests it. */
  readonly caution: string | undefined;
}

/** Reads a call that could get a signal; `undefined` for calls that the rules do not know. */
export function outboundCall(call: Node, source: Source, files: OtherFiles): OutboundCall | undefined {
  if (call.callee === undefined) return undefined;
  const shape = shapeOf(call, source, files);
  const given = call.arguments ?? [];
  if (shape === undefined || given.some((each) => each.type === 'SpreadElement')) return undefined;
  const at = placeOfOptions(shape, given, source);
  if (at === undefined) return undefined;
  const name = `${source.getText(call.callee).replace(/\s+/g, '')}()`;
  const caution = shape.ownSignal === true ? OWN_SIGNAL : whyUnlikeItsName(call.callee, source);
  return { call, shape, name, at, changes: mayChange(shape, given[at], source), caution };
}

function shapeOf(call: Node, source: Source, files: OtherFiles): CallShape | undefined {
  const text = originText(call.callee, source);
  const known = CALL_SHAPES.find(([origin]) => text !== undefined && origin.test(text));
  if (known !== undefined) return known[1];
  const origin = originOf(call.callee, source);
  if (origin?.from.startsWith('.') === true) return files.shapeOf(origin);
  const own = isIdentifier(call.callee) ? variableOf(call.callee, source)?.defs[0] : undefined;
  const fn = own?.type === 'FunctionName' ? own.node : own?.type === 'Variable' ? own.node.init : undefined;
  return isFunction(fn) ? wrapperShape(fn, source) : undefined;
}

function wrapperShape(fn: Node, source: Source): CallShape | undefined {
  const options = optionsParameter(fn, source, (callee) => {
    const text = originText(callee, source) ?? '';
    return CALL_SHAPES.find(([origin]) => origin.test(text))?.[1];
  });
  return options === undefined ? undefined : { options, key: 'signal', changes: 'by-method' };
}

function placeOfOptions(shape: CallShape, given: readonly Node[], source: Source): number | undefined {
  if (typeof shape.options === 'number') return shape.options;
  if (shape.options === 'auto') {
    const [first] = given;
    if (first === undefined) return undefined;
    if (given.length > 1 || stringOf(first) !== undefined || first.type === 'TemplateLiteral') return 1;
    // `axios(config)` and `got(url)` look alike, so the argument has to be seen to be an object.
    return isObject(first, source) ? 0 : isText(first) ? 1 : undefined;
  }
  return beforeCallback(given);
}

function isObject(node: Node, source: Source): boolean {
  const inner = unwrap(node);
  if (inner.type === 'ObjectExpression') return true;
  const def = isIdentifier(inner) ? variableOf(inner, source)?.defs[0] : undefined;
  return def?.type === 'Variable' && def.node.init?.type === 'ObjectExpression';
}

function isText(node: Node): boolean {
  const inner = unwrap(node);
  return (
    (inner.type === 'BinaryExpression' && inner.operator === '+') ||
    (isIdentifier(inner) && /(url|uri|endpoint|href)$/i.test(inner.name)) ||
    /(url|uri|endpoint|href)$/i.test(keyName(inner) ?? '')
  );
}

/** `exec(command, options?, callback?)`, `execFile(file, args?, options?, callback?)`. */
function beforeCallback(given: readonly Node[]): number | undefined {
  const at = given.findIndex((each, index) => index > 0 && unwrap(each).type === 'ObjectExpression');
  if (at !== -1) return at;
  const callback = given.findIndex((each, index) => index > 0 && isFunction(unwrap(each)));
  const rest = given.slice(1, callback === -1 ? undefined : callback);
  // A name may be a list of arguments, options or a callback.
  if (rest.some((each) => unwrap(each).type !== 'ArrayExpression')) return undefined;
  return callback === -1 ? given.length : callback;
}

const SAFE = /^(GET|HEAD|OPTIONS)$/i;

function mayChange(shape: CallShape, options: Node | undefined, source: Source): boolean {
  if (shape.changes !== 'by-method') return shape.changes === 'yes';
  if (options === undefined) return false;
  const object = literalOf(options, source);
  if (object === undefined) return true;
  const properties = object.properties ?? [];
  const method = properties.find((each) => keyName(each) === 'method');
  if (method !== undefined) return !SAFE.test(stringOf(method.value as Node) ?? '?');
  return properties.some(
    (each) => each.type === 'SpreadElement' || /^(body|json|form|data)$/.test(keyName(each) ?? ''),
  );
}

/** The object literal that an expression is, or that the variable it names was set to. */
export function literalOf(node: Node, source: Source): Node | undefined {
  const inner = unwrap(node);
  if (inner.type === 'ObjectExpression') return inner;
  const variable = isIdentifier(inner) ? variableOf(inner, source) : undefined;
  const [def] = variable?.defs ?? [];
  const isConstant = variable?.references.filter((reference) => reference.isWrite()).length === 1;
  const init =
    def?.type === 'Variable' && isConstant && isIdentifier(def.node.id) ? def.node.init : undefined;
  return init != null && unwrap(init).type === 'ObjectExpression' ? unwrap(init) : undefined;
}
