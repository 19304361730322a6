import { isFunction, isIdentifier, keyName, stringOf, unwrap, type Node, type Source } from '../code/node';
import { originText } from '../code/origin';

const METHODS = 'all|get|head|post|put|patch|delete|options|use';
/** `express().get`, `express.Router().route().get().post`, also where the router is made with `new`. */
const ON_ROUTER = new RegExp(
  `^(express|express-promise-router)(\\.Router)?(\\.new)?\\(\\)(\\.route\\(\\))?(\\.(${METHODS})\\(\\))*\\.(${METHODS})$`,
);
const ON_APP = new RegExp(`^express(\\.new)?\\(\\)(\\.(${METHODS})\\(\\))*\\.(${METHODS})$`);
/** Nest's app takes Express's middleware too. */
const ON_NEST = /^@nestjs\/core\.NestFactory\.create\(\)\.use$/;
const METHOD = new RegExp(`^(${METHODS})$`);
/** Usual names of an app or a router that another file passes to this one. */
const NAMED_ROUTER = /^(app|application|server|router|routes?|api|\w+(Router|App))$/;

/** A call that registers handlers on an app or a router. */
export interface Registration {
  readonly call: Node;
  readonly method: string;
  /** Whether the file shows that the receiver is Express's. Otherwise only its name says so. */
  readonly certain: boolean;
  /** Whether the receiver is an app, not a router. */
  readonly onApp: boolean;
  /** The arguments that are handlers, arrays opened. */
  readonly handlers: readonly Node[];
}

/** Reads a call as a registration; `undefined` where it is none. */
export function registrationOf(call: Node, source: Source): Registration | undefined {
  const callee = call.type === 'CallExpression' && call.callee ? unwrap(call.callee) : undefined;
  const method = keyName(callee);
  if (callee?.type !== 'MemberExpression' || method === undefined || !METHOD.test(method)) return undefined;
  const given = call.arguments ?? [];
  // `app.get('port')` asks for a setting.
  if (method === 'get' && given.length === 1 && callee.object?.type !== 'CallExpression') return undefined;
  const text = originText(callee, source);
  const certain = text !== undefined && (ON_ROUTER.test(text) || ON_NEST.test(text));
  if (!certain && (text !== undefined || !looksRegistered(callee, method, given))) return undefined;
  const handlers = given.flatMap((argument) => opened(argument));
  return { call, method, certain, onApp: certain && (ON_APP.test(text) || ON_NEST.test(text)), handlers };
}

function looksRegistered(callee: Node, method: string, given: readonly Node[]): boolean {
  let receiver = callee.object && unwrap(callee.object);
  while (receiver?.type === 'CallExpression' && receiver.callee) receiver = unwrap(receiver.callee).object;
  const name = isIdentifier(receiver) ? receiver.name : keyName(receiver);
  if (name === undefined || !NAMED_ROUTER.test(name)) return false;
  const [first] = given;
  const isPath = stringOf(first)?.startsWith('/') === true && given.length > 1;
  const isChained = callee.object !== undefined && unwrap(callee.object).type === 'CallExpression';
  return isPath || isChained || (method === 'use' && given.some((each) => isFunction(each)));
}

function opened(argument: Node): Node[] {
  const node = unwrap(argument);
  if (node.type === 'ArrayExpression')
    return (node.elements ?? []).flatMap((each) => (each === null ? [] : opened(each)));
  return stringOf(node) !== undefined || (node.type === 'Literal' && !isFunction(node)) ? [] : [node];
}
