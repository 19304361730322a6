import type { Edit } from '../calls/add-signal';
import {
  around,
  isFunction,
  isIdentifier,
  isWithin,
  statementsOf,
  unwrap,
  walk,
  type Node,
  type Source,
} from '../code/node';
import { originText, variableOf } from '../code/origin';
import { lineAfter, lineBefore } from '../code/remove';
import { ADDS_NOTHING, givenIn } from './handed-app';
import { registrationOf, type Registration } from './registration';

/** An app that a file makes: `const app = express()`, `this.app = express()`, or a field `app = express()`. */
export interface App {
  /** The statement, or the field, that makes it. */
  readonly made: Node;
  /** The call `express()`. */
  readonly call: Node;
  /** How it is written afterwards: `app`, `this.app`. */
  readonly name: string;
  /** Its registrations, in the order of the text. */
  readonly registrations: readonly Registration[];
  /** Whether another app or router has it as a part. */
  readonly isPart: boolean;
  /** The statements that run after it is made, in its block; for a field, those of the constructor. */
  readonly later: readonly Node[];
  /** Whether an expression is this app. */
  readonly isSame: (node: Node) => boolean;
}

const EXPRESS = /^express(\.default)?$/;
const NEST = /^@nestjs\/core\.NestFactory\.create$/;

/** The apps that a file makes and gives a name. */
export function appsOf(source: Source): App[] {
  const apps: App[] = [];
  walk(source.ast, source, (node) => {
    if (node.type !== 'CallExpression' || node.callee === undefined) return;
    const text = originText(node.callee, source) ?? '';
    // Nest on Fastify takes no middleware of Express's.
    const isNestOnExpress = NEST.test(text) && !/Fastify/.test(source.getText(node));
    const app = EXPRESS.test(text) || isNestOnExpress ? namedApp(node, source) : undefined;
    if (app !== undefined) apps.push(app);
  });
  return apps;
}

/** Whether an app is Nest's: its routes are not in this file, and its filters answer errors. */
export function isNest(app: App, source: Source): boolean {
  return NEST.test(originText(app.call.callee, source) ?? '');
}

interface Making {
  readonly made: Node;
  readonly name: string;
  readonly target: Node;
  readonly later: readonly Node[];
}

function namedApp(call: Node, source: Source): App | undefined {
  const making = makingOf(call, source);
  if (making === undefined) return undefined;
  const { made, name, target, later } = making;
  const isSame = isSameAs(target, name, source);
  const registrations = registrationsOn(isSame, source);
  return { made, call, name, registrations, isPart: isPart(isSame, target, name, source), later, isSame };
}

function makingOf(call: Node, source: Source): Making | undefined {
  let holder = call.parent;
  while (holder !== undefined && /^(AwaitExpression|TS\w+Expression)$/.test(holder.type))
    holder = holder.parent;
  // `const app = module.exports = express()`
  while (holder?.type === 'AssignmentExpression' && holder.parent?.type !== 'ExpressionStatement')
    holder = holder.parent;
  if (holder?.type === 'PropertyDefinition') return fieldOf(holder, source);
  const isDeclared = holder?.type === 'VariableDeclarator' && isIdentifier(holder.id);
  if (holder === undefined || (!isDeclared && holder.type !== 'AssignmentExpression')) return undefined;
  const target = isDeclared ? holder.id : holder.left;
  if (target == null) return undefined;
  let made = holder.parent;
  if (made?.parent?.type === 'ExportNamedDeclaration') made = made.parent;
  const block = made?.parent;
  if (made === undefined || block === undefined || !/^(Program|BlockStatement)$/.test(block.type))
    return undefined;
  const statements = statementsOf(block);
  const name = source.getText(target).replace(/:.*$/s, '');
  if (isDeclared && addsBeside(holder, name, source)) return undefined;
  return { made, name, target, later: statements.slice(statements.indexOf(made) + 1) };
}

/** Whether a declaration hands the app on beside making it: `const app = express(), routes = addRoutes(app)`. */
function addsBeside(declarator: Node, name: string, source: Source): boolean {
  let adds = false;
  for (const each of declarator.parent?.declarations ?? [])
    walk(each, source, (node) => {
      if (each === declarator || !/^(Call|New)Expression$/.test(node.type)) return;
      const isGiven = givenIn(node, (argument) => isIdentifier(argument, name)) !== undefined;
      if (isGiven && !ADDS_NOTHING.test(source.getText(node.callee))) adds = true;
    });
  return adds;
}

/** A field of a class: it is set before the constructor's statements run, or at the end of `super()`. */
function fieldOf(field: Node, source: Source): Making | undefined {
  if (field.static === true || field.computed === true || field.key === undefined) return undefined;
  const name = `this.${source.getText(field.key)}`;
  const members = statementsOf(field.parent);
  const maker = members.find((each) => each.kind === 'constructor')?.value as Node | undefined;
  const statements = statementsOf(maker);
  const isDerived = field.parent?.parent?.superClass != null;
  const begin = isDerived ? statements.findIndex((each) => /^super\(/.test(source.getText(each))) + 1 : 0;
  // What another field is made with the app comes before the constructor's first statement.
  const isUsedBefore = members.some(
    (each) =>
      each.type === 'PropertyDefinition' && !isFunction(each.value as Node) && usesText(each, name, source),
  );
  const later = isUsedBefore || (isDerived && begin === 0) ? [] : statements.slice(begin);
  return { made: field, name, target: field, later };
}

function usesText({ value }: Node, name: string, source: Source): boolean {
  return value != null && new RegExp(`${name.replace('$', '\\$')}\\b`).test(source.getText(value as Node));
}

/** The edit that puts a line in front of everything that an app gets; `undefined` where that place is not seen. */
export function lineAtFront({ made, later }: App, line: string, source: Source): Edit | undefined {
  if (made.type !== 'PropertyDefinition') return lineAfter(made, line, source);
  const [first] = later;
  return first && lineBefore(first, line, source);
}

/** Tells whether an expression is the app; a member, `this.app`, is so within its class. */
function isSameAs(target: Node, name: string, source: Source): (node: Node) => boolean {
  const variable = isIdentifier(target) ? variableOf(target, source) : undefined;
  const classBody = around(target, ({ type }) => type === 'ClassBody');
  const isSame = (node: Node): boolean => {
    const inner = unwrap(node);
    if (variable !== undefined) return isIdentifier(inner) && variableOf(inner, source) === variable;
    if (classBody !== undefined && !isWithin(inner, classBody)) return false;
    return source.getText(inner) === name || isAlias(inner);
  };
  /** `const { app } = this`, `const server = this.app`. */
  const isAlias = (node: Node): boolean => {
    const def = isIdentifier(node) ? variableOf(node, source)?.defs[0] : undefined;
    const { id, init } = def?.type === 'Variable' ? def.node : ({} as Partial<Node>);
    if (id == null || init == null) return false;
    if (id.type !== 'ObjectPattern') return !isIdentifier(init) && isSame(init);
    return init.type === 'ThisExpression' && `this.${node.name ?? ''}` === name;
  };
  return isSame;
}

function registrationsOn(isSame: (node: Node) => boolean, source: Source): Registration[] {
  const found: Registration[] = [];
  walk(source.ast, source, (node) => {
    const registration = node.type === 'CallExpression' ? registrationOf(node, source) : undefined;
    const receiver = registration?.call.callee && rootReceiver(registration.call.callee);
    if (registration !== undefined && receiver !== undefined && isSame(receiver)) found.push(registration);
  });
  return found;
}

function rootReceiver(callee: Node): Node | undefined {
  let receiver = unwrap(callee).object;
  while (receiver !== undefined && unwrap(receiver).type === 'CallExpression')
    receiver = unwrap(unwrap(receiver).callee as Node).object;
  return receiver && unwrap(receiver);
}

function isPart(isSame: (node: Node) => boolean, target: Node, name: string, source: Source): boolean {
  // `this.router = express()`: an app that is used as a router.
  if (/router/i.test(name)) return true;
  let found = false;
  walk(source.ast, source, (node) => {
    const registration = node.type === 'CallExpression' ? registrationOf(node, source) : undefined;
    if (registration?.method !== 'use') return;
    if (registration.handlers.some((each) => isSame(each) && each !== target)) found = true;
  });
  return found;
}

/** A call `app.use(…)` as text, at a statement's indentation. */
export function useLine(app: App, call: string, end: string): string {
  return `${app.name}.use(${call})${end}`;
}
