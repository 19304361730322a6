import {
  around,
  isFunction,
  isMethodCall,
  isWithin,
  keyName,
  statementsOf,
  unwrap,
  walk,
  type Node,
  type Source,
} from '../code/node';
import type { App } from './app';
import { NOT_FOUND, registersErrors, takesAll } from './error-handlers';
import { ADDS_NOTHING, givenIn, type MountsErrors } from './handed-app';
import { memberFunctions } from './members';

/** The place for `gatewayErrorHandler()`: beside a statement; or what a person has to do, where the place is not seen. */
export type EndOfSetup =
  { readonly statement: Node; readonly side: 'before' | 'after' } | { readonly byHand: string };

/** What a statement adds to an app. */
interface Step {
  readonly statement: Node;
  /**
   * `fallback` answers what no route has taken; `mixed` mounts error handlers in a function where ours would have to be
   * mounted too; `unread` may do so.
   */
  readonly kind: 'routes' | 'errors' | 'fallback' | 'mixed' | 'unread';
  /** For `mixed` and `unread`: where a person has to mount ours. */
  readonly byHand?: string;
  /** For a method that ends with error handlers: the first of them. */
  readonly inner?: Node;
}

const SPREAD =
  'behind all routes and before the error handlers: the order in which they are added is not seen';
const AMID =
  'before the first error handler, and once more behind all routes: some of them are added behind error handlers';
const SERVERS = /listen|server|request|supertest|https?|io$/i;
const DEPTH = 8;

/** Finds the end of an app's set-up, where its error handlers belong. */
export function endOfSetup(app: App, source: Source, mountsErrors: MountsErrors): EndOfSetup {
  const steps = new Setup(app, source, mountsErrors).steps();
  const last = steps.at(-1);
  if (last === undefined) return { byHand: SPREAD };
  const end = endOf(steps);
  if ('byHand' in end) return end;
  return end.first ? { statement: end.first, side: 'before' } : { statement: last.statement, side: 'after' };
}

/** Whether anything is added to an app, as far as the file shows. */
export function isSetUp(app: App, source: Source): boolean {
  return app.registrations.length > 0 || handOvers(app, source).length > 0;
}

/** The first of the statements with which a set-up ends and that mount error handlers only, or why ours goes elsewhere. */
function endOf(steps: readonly Step[]): { readonly first: Node | undefined } | { readonly byHand: string } {
  const first = firstErrors(steps);
  // Whoever mounts error handlers at the end has hardly mounted others before.
  const open = steps.find(({ kind }) => kind === 'mixed' || (kind === 'unread' && first === undefined));
  if (open?.byHand !== undefined) return { byHand: open.byHand };
  const hasErrorsAmid = steps.some(
    ({ kind, statement }) => kind === 'errors' && statement.type !== 'IfStatement',
  );
  return first === undefined && hasErrorsAmid ? { byHand: AMID } : { first };
}

function firstErrors(steps: readonly Step[]): Node | undefined {
  let first: Node | undefined;
  for (const { kind, statement, inner } of steps.toReversed()) {
    if (inner !== undefined) return inner;
    if (kind === 'errors') first = statement;
    // The handler for requests that no route has taken may come after the error handlers.
    else if (first !== undefined || kind !== 'fallback') break;
  }
  return first;
}

/** Calls that are given the app, and are not a server that listens to it. */
function handOvers(app: App, source: Source): Node[] {
  const found: Node[] = [];
  const isInRegistration = (node: Node): boolean =>
    app.registrations.some(({ call }) => node !== call && isWithin(node, call));
  walk(source.ast, source, (node) => {
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return;
    const text = node.callee ? source.getText(node.callee) : '';
    if (ADDS_NOTHING.test(text) || isInRegistration(node)) return;
    if (givenIn(node, app.isSame) !== undefined) found.push(node);
  });
  return found;
}

/** Follows an app's set-up from the statement that makes it, also into the methods of its class. */
class Setup {
  readonly #app: App;
  readonly #source: Source;
  readonly #mountsErrors: MountsErrors;
  readonly #handOvers: readonly Node[];
  #reached = new Set<Node>();

  constructor(app: App, source: Source, mountsErrors: MountsErrors) {
    this.#app = app;
    this.#source = source;
    this.#mountsErrors = mountsErrors;
    this.#handOvers = handOvers(app, source);
  }

  /** All that is added, in its order; empty where that is not seen. */
  steps(): Step[] {
    const first = this.#stepsOf(this.#app.later, 0);
    if (!this.#hasMore()) return first;
    // Ours would come behind these error handlers, which answer first.
    if (first.some(({ kind, inner }) => kind === 'errors' || inner !== undefined)) return [];
    const reached = this.#reached;
    // Whoever has made the app may call one method that adds the rest.
    const further = methodsBeside(this.#app).map((fn) => {
      this.#reached = new Set(reached);
      const steps = this.#stepsOf(statementsOf(fn), 0);
      return this.#hasMore() ? [] : steps;
    });
    const [most = []] = further.sort((one, other) => other.length - one.length);
    // If error handlers do not end the method, other files may add routes after it.
    return firstErrors(most) === undefined ? [] : [...first, ...most];
  }

  /** Whether anything is added where the statements that were followed do not come, or not in their order. */
  #hasMore(): boolean {
    const given = this.#handOvers.filter(({ callee }) => !SERVERS.test(lastName(callee, this.#source)));
    const all = [...this.#app.registrations.map(({ call }) => call), ...given];
    return all.some((call) => !this.#reached.has(call));
  }

  #stepsOf(statements: readonly Node[], depth: number): Step[] {
    return statements.flatMap((statement) => this.#stepOf(statement, depth) ?? []);
  }

  #stepOf(statement: Node, depth: number): Step | undefined {
    const own = this.#app.registrations.filter(({ call }) => isDirectly(call, statement));
    const given = this.#handOvers.filter((call) => isDirectly(call, statement));
    for (const call of [...own.map(({ call }) => call), ...given]) this.#reached.add(call);
    if (given.length > 0) return this.#handingOver(statement, given);
    if (own.length === 0) return depth > DEPTH ? undefined : this.#methodStep(statement, depth);
    if (own.every((each) => registersErrors(each, this.#source))) return { statement, kind: 'errors' };
    return { statement, kind: own.every(takesAll) ? 'fallback' : 'routes' };
  }

  #handingOver(statement: Node, calls: readonly Node[]): Step {
    let kind: Step['kind'] = 'routes';
    for (const call of calls) {
      const callee = unwrap(call.callee as Node);
      const given = givenIn(call, this.#app.isSame);
      const name = this.#source.getText(callee);
      const last = lastName(callee, this.#source);
      if (/error/i.test(last)) kind = 'errors';
      else if (NOT_FOUND.test(last)) kind = 'fallback';
      else if (given !== undefined) {
        const mounts = this.#mountsErrors(callee, given);
        if (mounts === true)
          return {
            statement,
            kind: 'mixed',
            byHand: `in \`${name}()\`, before the error handlers there`,
          };
        if (mounts === undefined && !SERVERS.test(last)) return unread(statement, name);
      }
    }
    return { statement, kind };
  }

  /** A call of a method of the class that the app belongs to: `this.routes()`. */
  #methodStep(statement: Node, depth: number): Step | undefined {
    const expression = typeof statement.expression === 'object' ? statement.expression : undefined;
    const isAwaited = expression?.type === 'AwaitExpression';
    const call = isAwaited ? (expression.argument as Node) : expression;
    const callee = call?.type === 'CallExpression' && call.callee ? unwrap(call.callee) : undefined;
    if (callee?.object?.type !== 'ThisExpression' || !this.#app.name.startsWith('this.')) return undefined;
    const name = this.#source.getText(callee);
    const [fn] = memberFunctions(callee, this.#source);
    if (fn === undefined) {
      if (ADDS_NOTHING.test(name)) return undefined;
      return /error/i.test(name) ? { statement, kind: 'errors' } : unread(statement, name);
    }
    // What an async method adds after its first await, it adds later.
    const steps = fn.async === true && !isAwaited ? [] : this.#stepsOf(statementsOf(fn), depth + 1);
    if (steps.length === 0) return /error/i.test(name) ? { statement, kind: 'errors' } : undefined;
    for (const kind of ['errors', 'fallback'] as const)
      if (steps.every((each) => each.kind === kind && each.inner === undefined)) return { statement, kind };
    const end = endOf(steps);
    if ('byHand' in end)
      return { statement, kind: steps.find(({ byHand }) => byHand === end.byHand)?.kind ?? 'mixed', ...end };
    return end.first ? { statement, kind: 'routes', inner: end.first } : { statement, kind: 'routes' };
  }
}

/** The methods of the class that an app belongs to, but its constructor. */
function methodsBeside({ name, call }: App): Node[] {
  const members = name.startsWith('this.') ? around(call, ({ type }) => type === 'ClassBody')?.body : [];
  return (Array.isArray(members) ? members : [])
    .filter(({ kind }) => kind !== 'constructor')
    .map(({ value }) => value as Node | null)
    .filter(isFunction);
}

function lastName(callee: Node | undefined, source: Source): string {
  return (callee && keyName(unwrap(callee))) ?? source.getText(callee);
}

function unread(statement: Node, name: string): Step {
  const byHand = `in \`${name}()\` if that mounts error handlers, before them, else behind its call: it was not read`;
  return { statement, kind: 'unread', byHand };
}

/** Whether a call runs when a statement does: not in a function for later, but in one that `forEach()` calls at once. */
function isDirectly(call: Node, statement: Node): boolean {
  if (!isWithin(call, statement)) return false;
  for (let node = call; node !== statement && node.parent != null; node = node.parent)
    if (isFunction(node) && !runsAtOnce(node)) return false;
  return !isFunction(statement);
}

function runsAtOnce(fn: Node): boolean {
  const { parent } = fn;
  return fn.async !== true && isMethodCall(parent, /^(forEach|map)$/) && parent.arguments?.[0] === fn;
}
