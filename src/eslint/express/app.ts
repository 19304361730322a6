import { isIdentifier, statementsOf, unwrap, walk, type Node, type Source } from '../code/node';
import { originText, variableOf } from '../code/origin';
import { registrationOf, type Registration } from './registration';

/** An app that a file makes: `const app = express()`, or `this.app = express()`. */
export interface App {
  /** The statement that makes it. */
  readonly made: Node;
  /** The call `express()`. */
  readonly call: Node;
  /** How it is written afterwards: `app`, `this.app`. */
  readonly name: string;
  /** Its registrations, in the order of the text. */
  readonly registrations: readonly Registration[];
  /** Whether another app or router has it as a part. */
  readonly isPart: boolean;
  /** Whether it lives only for a moment: in a test, or within an expression. */
  readonly statements: readonly Node[];
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

function namedApp(call: Node, source: Source): App | undefined {
  let holder = call.parent;
  while (holder !== undefined && /^(AwaitExpression|TS\w+Expression)$/.test(holder.type))
    holder = holder.parent;
  const isDeclared = holder?.type === 'VariableDeclarator' && isIdentifier(holder.id);
  const isAssigned =
    holder?.type === 'AssignmentExpression' && holder.parent?.type === 'ExpressionStatement' && holder.left;
  if (holder === undefined || (!isDeclared && !isAssigned)) return undefined;
  const target = isDeclared ? holder.id : holder.left;
  if (target == null) return undefined;
  let made = holder.parent;
  if (made?.parent?.type === 'ExportNamedDeclaration') made = made.parent;
  const block = made?.parent;
  if (made === undefined || block === undefined || !/^(Program|BlockStatement)$/.test(block.type))
    return undefined;
  if (isDeclared && holder.parent?.declarations?.at(-1) !== holder) return undefined;
  const name = source.getText(target).replace(/:.*$/s, '');
  const registrations = registrationsOn(target, name, source);
  const statements = statementsOf(block);
  return { made, call, name, registrations, isPart: isPart(target, name, source), statements };
}

function registrationsOn(target: Node, name: string, source: Source): Registration[] {
  const found: Registration[] = [];
  const variable = isIdentifier(target) ? variableOf(target, source) : undefined;
  walk(source.ast, source, (node) => {
    const registration = node.type === 'CallExpression' ? registrationOf(node, source) : undefined;
    const receiver = registration?.call.callee && rootReceiver(registration.call.callee);
    if (registration === undefined || receiver === undefined) return;
    const isSame = variable
      ? isIdentifier(receiver) && variableOf(receiver, source) === variable
      : source.getText(receiver) === name;
    if (isSame) found.push(registration);
  });
  return found;
}

function rootReceiver(callee: Node): Node | undefined {
  let receiver = unwrap(callee).object;
  while (receiver !== undefined && unwrap(receiver).type === 'CallExpression')
    receiver = unwrap(unwrap(receiver).callee as Node).object;
  return receiver && unwrap(receiver);
}

function isPart(target: Node, name: string, source: Source): boolean {
  // `this.router = express()`: an app that is used as a router.
  if (/router/i.test(name)) return true;
  let found = false;
  walk(source.ast, source, (node) => {
    const registration = node.type === 'CallExpression' ? registrationOf(node, source) : undefined;
    if (registration?.method !== 'use') return;
    if (registration.handlers.some((each) => source.getText(each) === name && each !== target)) found = true;
  });
  return found;
}

/** A call `app.use(…)` as text, at a statement's indentation. */
export function useLine(app: App, call: string, end: string): string {
  return `${app.name}.use(${call})${end}`;
}
