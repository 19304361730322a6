import { isBuiltin } from 'node:module';
import { filesBeside, memberOf, valueIn, type Found, type Parser } from '../code/loaded';
import {
  isFunction,
  isIdentifier,
  isMethodCall,
  keyName,
  unwrap,
  walk,
  type Node,
  type Source,
} from '../code/node';
import { originOf, valueOf, type Origin } from '../code/origin';
import type { Project } from '../code/project';
import { isErrorHandlerBy } from './error-handlers';
import { memberFunctions } from './members';

/** Where an app stands among the arguments of a call: by its index, and by its key where it is in an object. */
export interface Given {
  readonly at: number;
  readonly key: string | undefined;
}

/** Where a call is given something that fits; `undefined` where it is not. */
export function givenIn(call: Node, fits: (node: Node) => boolean): Given | undefined {
  for (const [at, argument] of (call.arguments ?? []).entries()) {
    const inner = unwrap(argument);
    if (fits(inner)) return { at, key: undefined };
    const properties = inner.type === 'ObjectExpression' ? (inner.properties ?? []) : [];
    const property = properties.find(({ value }) => value != null && fits(unwrap(value as Node)));
    if (property !== undefined) return { at, key: keyName(property) };
  }
  return undefined;
}

/** Whether a function mounts error handlers on an app that it is given; `undefined` where that is not seen. */
export type MountsErrors = (callee: Node, given: Given) => boolean | undefined;

/** What the rules ask about functions of other files that are given an app. */
export type MountsErrorsThere = (origin: Origin, given: Given) => boolean | undefined;

/** Calls with which an app is only listened to, set, or passed to a caller. */
export const ADDS_NOTHING =
  /listen|createServer|connect$|process\.|\.(set|enable|disable|engine)$|drainable|console|^(resolve|done|callback|cb|next)$/;

const DEPTH = 5;

/** Answers for the callees of a file. */
export function mountsErrorsHere(source: Source, project: Project, there: MountsErrorsThere): MountsErrors {
  const answer = (callee: Node, given: Given, depth: number): boolean | undefined => {
    const inner = unwrap(callee);
    const origin = originOf(inner, source);
    if (origin?.from.startsWith('.') === true) return there(origin, given);
    // A global that nobody declares is what the file makes of it.
    if (origin !== undefined)
      return origin.from === 'global' || isPackage(origin.from, project) ? false : undefined;
    const [fn] =
      inner.type === 'MemberExpression' ? memberFunctions(inner, source) : [valueOf(inner, source)];
    const follow: MountsErrors = (next, further) => answer(next, further, depth + 1);
    return fn === undefined || depth > DEPTH
      ? undefined
      : mountsErrorsIn(fn, given, source, (each) => valueOf(each, source), follow);
  };
  return (callee, given) => answer(callee, given, 0);
}

/** Answers for the files beside a file. */
export function mountsErrorsBeside(
  filename: string,
  parser: Parser,
  visitorKeys: Source['visitorKeys'],
  depth = 0,
): MountsErrorsThere {
  const find = filesBeside(filename, parser);
  return (origin, given) => {
    const found = depth > DEPTH ? undefined : find(origin, 'app');
    const fn = found && valueOfRest(found);
    if (found === undefined || fn === undefined) return undefined;
    const { loaded, file } = found;
    const there = mountsErrorsBeside(file, parser, visitorKeys, depth + 1);
    const ownValue = (each: Node): Node | undefined => loaded.exports.get(`local ${each.name ?? ''}`);
    const follow: MountsErrors = (callee, further) => {
      const value = valueIn(callee, loaded);
      if (value === undefined) return isIdentifier(callee) ? false : undefined;
      if (!('from' in value))
        return value === fn ? false : mountsErrorsIn(value, further, { visitorKeys }, ownValue, follow);
      return value.from.startsWith('.') ? there(value, further) : false;
    };
    return mountsErrorsIn(fn, given, { visitorKeys }, ownValue, follow);
  };
}

/** The function or class that is called: `new Routes().mount` of the class `Routes`. */
function valueOfRest({ node, rest, loaded }: Found): Node | undefined {
  const [, name] = /^(?:\.new\(\))?\.(\w+)$/.exec(rest) ?? [];
  const holder = valueIn(node, loaded);
  if (holder === undefined || 'from' in holder) return undefined;
  if (rest === '' || rest === '.new()') return holder;
  const member = name === undefined ? undefined : memberOf(holder, name);
  const value = member && valueIn(member, loaded);
  return value && !('from' in value) ? value : undefined;
}

function isPackage(from: string, project: Project): boolean {
  const name = /^(@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from;
  // Where no manifest was found, every name may be a package's. Where one was, another name is a path by an alias.
  return !project.known || project.has(name) || isBuiltin(name);
}

function mountsErrorsIn(
  fn: Node,
  given: Given,
  source: Pick<Source, 'visitorKeys'>,
  valueNamed: (identifier: Node) => Node | undefined,
  follow: MountsErrors,
): boolean | undefined {
  if (!isFunction(fn) && !fn.type.startsWith('Class')) return undefined;
  const names = namesOf(fn, given);
  const isApp = (node: Node): boolean => (isIdentifier(node) ? names.has(node.name) : isMember(node, names));
  let [found, isSeen] = [false, true];
  walk(fn, source, (node) => {
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return !found;
    const first = isMethodCall(node, /^use$/) ? node.arguments?.[0] : undefined;
    if (first !== undefined && isErrorHandlerBy(first, valueNamed)) found = true;
    const callee = node.callee && unwrap(node.callee);
    const further = givenIn(node, isApp);
    if (
      found ||
      callee === undefined ||
      further === undefined ||
      ADDS_NOTHING.test(callee.name ?? keyName(callee) ?? '')
    )
      return !found;
    const answer = follow(callee, further);
    if (answer === undefined) isSeen = false;
    found = answer === true;
    return !found;
  });
  return found ? true : isSeen ? false : undefined;
}

/** `this.app` in a class that was given it, `options.app` of options that hold it. */
function isMember(node: Node, names: ReadonlySet<string>): boolean {
  const { object } = node;
  const isHolder = object?.type === 'ThisExpression' || (isIdentifier(object) && names.has(object.name));
  return isHolder && names.has(keyName(node) ?? '');
}

/** What a function, or a class's constructor, calls the app that it is given. */
function namesOf(fn: Node, { at, key }: Given): Set<string> {
  const maker = isFunction(fn) ? fn : memberOf(fn, 'constructor');
  const param = maker?.params?.[at];
  const inner = param?.type === 'TSParameterProperty' ? param.parameter : param;
  const plain = inner?.type === 'AssignmentPattern' ? inner.left : inner;
  if (isIdentifier(plain)) return new Set([plain.name, key ?? plain.name]);
  const property = plain?.properties?.find((each) => keyName(each) === key);
  return new Set([(property?.value as Node | undefined)?.name ?? key ?? 'app']);
}
