import {
  around,
  isFunction,
  isIdentifier,
  isMethodCall,
  isWithin,
  keyName,
  parametersOf,
  unwrap,
  walk,
  type Node,
  type Source,
} from '../code/node';
import { variableOf } from '../code/origin';
import type { App } from './app';
import { registrationOf, type Registration } from './registration';

/** Whether a handler is an error handler, by its four parameters or by its name. */
export function isErrorHandler(handler: Node, source: Source): boolean {
  const inner = unwrap(handler);
  if (isFunction(inner)) return parametersOf(inner).length === 4;
  const named = inner.type === 'CallExpression' && inner.callee ? unwrap(inner.callee) : inner;
  const def = isIdentifier(named) ? variableOf(named, source)?.defs[0] : undefined;
  const fn = def?.type === 'Variable' ? def.node.init : def?.node;
  if (isFunction(fn) && inner.type !== 'CallExpression') return parametersOf(fn).length === 4;
  return /(^|[._])(error|err|exception|on_?error)|error(s|handler|middleware|converter|logger)?$|errorhandl/i.test(
    source.getText(named),
  );
}

/** The end of an app's set-up: the statement before or after which the error handlers belong. */
export interface EndOfSetup {
  readonly statement: Node;
  readonly side: 'before' | 'after';
}

/** The place for `gatewayErrorHandler()`; `undefined` where the set-up is spread over places whose order is not seen. */
export function endOfSetup(app: App, source: Source): EndOfSetup | undefined {
  const later = app.statements.slice(app.statements.indexOf(app.made) + 1);
  if (isHandedOnLater(app, later, source)) return undefined;
  const isHere = app.registrations.every(({ call }) => later.some((each) => isDirectly(call, each)));
  if (!isHere && !(app.name.startsWith('this.') && isByMethods(app, later, source))) return undefined;
  const setup = later.filter((each) => isSetup(each, app, source));
  const last = setup.at(-1);
  if (last === undefined || setup.some((each) => handsToErrorSetup(each, source))) return undefined;
  let first: Node | undefined;
  for (const statement of setup.toReversed()) {
    const isErrors = isErrorSetup(statement, app, source);
    if (isErrors) first = statement;
    // The handler for requests that no route has taken may come after the error handlers.
    else if (first !== undefined || !isTakingAll(statement, source)) break;
  }
  return first === undefined ? { statement: last, side: 'after' } : { statement: first, side: 'before' };
}

const SERVERS = /listen|server|request|supertest|https?|io$/i;

/** Whether a function that runs at another time hands the app on: `ready.then(() => addRoutes(app))`. */
function isHandedOnLater(app: App, later: readonly Node[], source: Source): boolean {
  let found = false;
  walk(source.ast, source, (node) => {
    const isGiven =
      node.type === 'CallExpression' && (node.arguments ?? []).some((each) => isIdentifier(each, app.name));
    const isLater = isGiven && later.some((each) => isWithin(node, each) && !isDirectly(node, each));
    if (isLater && !SERVERS.test(source.getText(node.callee))) found = true;
    return !found;
  });
  return found;
}

/** Whether all registrations are in these statements, or in methods that these statements call. */
function isByMethods(app: App, later: readonly Node[], source: Source): boolean {
  return app.registrations.every(({ call }) => {
    if (later.some((each) => isDirectly(call, each))) return true;
    const name = keyName(around(call, ({ type }) => /^(MethodDefinition|PropertyDefinition)$/.test(type)));
    return later.some((each) => name !== undefined && source.getText(each).startsWith(`this.${name}(`));
  });
}

function isDirectly(call: Node, statement: Node): boolean {
  if (!isWithin(call, statement) || isFunction(statement)) return false;
  const fn = around(call, (node) => isFunction(node) || node === statement);
  return fn === statement;
}

/** Whether a statement adds to an app: a registration, or a call that is handed the app. */
function isSetup(statement: Node, app: App, source: Source): boolean {
  const expression = statement.type === 'ExpressionStatement' ? (statement.expression as Node) : undefined;
  if (expression === undefined) return app.registrations.some(({ call }) => isDirectly(call, statement));
  const call = expression.type === 'AwaitExpression' ? (expression.argument as Node) : expression;
  if (call.type !== 'CallExpression' || call.callee === undefined) return false;
  if (app.registrations.some((each) => isDirectly(each.call, statement))) return true;
  const text = source.getText(call.callee);
  if (/listen|createServer|connect$|process\.|\.(set|enable|disable|engine)$|drainable|console/.test(text))
    return false;
  if (app.name.startsWith('this.')) return /^this\.\w+$/.test(text);
  return (call.arguments ?? []).some((each) => mentions(each, app.name, source));
}

function mentions(argument: Node, name: string, source: Source): boolean {
  if (argument.type === 'ObjectExpression')
    return (argument.properties ?? []).some((each) => source.getText(each.value as Node) === name);
  return source.getText(argument) === name;
}

function isErrorSetup(statement: Node, app: App, source: Source): boolean {
  if (statement.type === 'IfStatement') {
    const inside = app.registrations.filter(({ call }) => isDirectly(call, statement));
    return inside.length > 0 && inside.every((each) => registersErrors(each, source));
  }
  const expression = statement.expression as Node | undefined;
  const call = expression?.type === 'AwaitExpression' ? (expression.argument as Node) : expression;
  const registration = call && registrationOf(call, source);
  if (registration) return registersErrors(registration, source);
  return (
    call?.callee !== undefined && /error/i.test(keyName(unwrap(call.callee)) ?? source.getText(call.callee))
  );
}

/** `app.use(onError)`, also `app.use(onError, notFound)`. */
export function registersErrors({ method, handlers }: Registration, source: Source): boolean {
  const [first, ...others] = handlers;
  if (method !== 'use' || first === undefined || !isErrorHandler(first, source)) return false;
  return others.every((each) => isErrorHandler(each, source) || isFunction(each));
}

/** `configure(app)` with a function of this file that mounts error handlers: ours would have to be mounted in it. */
function handsToErrorSetup({ expression }: Node, source: Source): boolean {
  const call =
    typeof expression === 'object' && expression.type === 'AwaitExpression'
      ? expression.argument
      : expression;
  const callee = typeof call === 'object' && call?.type === 'CallExpression' ? call.callee : undefined;
  const def = isIdentifier(callee) ? variableOf(callee, source)?.defs[0] : undefined;
  const fn = def?.type === 'Variable' ? def.node.init : def?.node;
  let found = false;
  if (isFunction(fn))
    walk(fn, source, (node) => {
      const given = isMethodCall(node, /^use$/) ? (node.arguments ?? []) : [];
      if (given.length > 0 && given.every((each) => isErrorHandler(each, source))) found = true;
      return !found;
    });
  return found;
}

/** `app.use((req, res) => …)`, without a path and with no more than functions for requests. */
export function takesAll({ method, call }: Registration): boolean {
  const given = method === 'use' ? (call.arguments ?? []) : [];
  return given.length > 0 && given.every((each) => isFunction(each) && parametersOf(each).length < 4);
}

function isTakingAll({ expression }: Node, source: Source): boolean {
  const registration = typeof expression === 'object' ? registrationOf(expression, source) : undefined;
  return registration !== undefined && takesAll(registration);
}
