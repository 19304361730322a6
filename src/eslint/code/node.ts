/**
 * What the rules read of a syntax tree: ESTree as espree and typescript-eslint make it. One loose shape in place of ESTree's
 * union, because the trees of users' parsers hold nodes that no published union names.
 */
export interface Node {
  readonly type: string;
  readonly range: [number, number];
  readonly loc: { start: { line: number; column: number }; end: { line: number; column: number } };
  /** ESLint sets it; a tree that ESLint did not walk has none. */
  readonly parent?: Node;
  readonly name?: string;
  readonly value?: unknown;
  readonly raw?: string;
  readonly kind?: string;
  readonly operator?: string;
  readonly async?: boolean;
  readonly generator?: boolean;
  readonly computed?: boolean;
  readonly shorthand?: boolean;
  readonly static?: boolean;
  readonly callee?: Node;
  readonly arguments?: Node[];
  readonly object?: Node;
  readonly property?: Node;
  readonly params?: Node[];
  readonly body?: Node | Node[];
  readonly id?: Node | null;
  readonly init?: Node | null;
  readonly left?: Node;
  readonly right?: Node;
  readonly test?: Node | null;
  readonly consequent?: Node | Node[];
  readonly alternate?: Node | null;
  readonly elements?: (Node | null)[];
  readonly properties?: Node[];
  readonly key?: Node;
  readonly argument?: Node | null;
  readonly expression?: Node | boolean;
  readonly expressions?: Node[];
  readonly quasis?: Node[];
  readonly declarations?: Node[];
  readonly declaration?: Node | null;
  readonly source?: Node | null;
  readonly specifiers?: Node[];
  readonly imported?: Node;
  readonly exported?: Node;
  readonly local?: Node;
  readonly block?: Node;
  readonly handler?: Node | null;
  readonly finalizer?: Node | null;
  readonly param?: Node | null;
  readonly decorators?: Node[];
  readonly typeAnnotation?: Node;
  readonly returnType?: Node;
  readonly typeName?: Node;
  readonly moduleReference?: Node;
  readonly importKind?: string;
  readonly parameter?: Node;
  readonly superClass?: Node | null;
}

/** A token or a comment. */
export interface Token {
  readonly type: string;
  readonly value: string;
  readonly range: [number, number];
  readonly loc: Node['loc'];
}

export interface Reference {
  readonly identifier: Node;
  readonly resolved: Variable | null;
  readonly init?: boolean;
  readonly writeExpr?: Node | null;
  isRead: () => boolean;
  isWrite: () => boolean;
}

export interface Variable {
  readonly name: string;
  readonly defs: readonly { type: string; node: Node; name: Node; parent?: Node | null }[];
  readonly references: readonly Reference[];
}

export interface Scope {
  readonly type: string;
  readonly block: Node;
  readonly upper: Scope | null;
  readonly set: Map<string, Variable>;
  readonly variables: readonly Variable[];
  readonly references: readonly Reference[];
  readonly through: readonly Reference[];
  readonly childScopes: readonly Scope[];
}

/** What the rules ask of ESLint's `SourceCode`. */
export interface Source {
  readonly text: string;
  readonly ast: Node & { body: Node[] };
  readonly visitorKeys: Record<string, readonly string[] | undefined>;
  readonly scopeManager: { scopes: readonly Scope[]; globalScope: Scope | null } | null;
  getText: (node?: Node) => string;
  getScope: (node: Node) => Scope;
  getTokenAfter: (node: Node | Token) => Token | null;
  getTokenBefore: (node: Node | Token) => Token | null;
  getFirstToken: (node: Node) => Token | null;
  getLastToken: (node: Node) => Token | null;
  getCommentsInside: (node: Node) => Token[];
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Whether a node is a function of any kind. */
export function isFunction(node: Node | null | undefined): node is Node & { readonly params: Node[] } {
  return node != null && FUNCTIONS.has(node.type);
}

/** A function's parameters as its callers fill them: TypeScript's `this` is none. */
export function parametersOf(fn: Node): readonly Node[] {
  const params = fn.params ?? [];
  return isIdentifier(params[0], 'this') ? params.slice(1) : params;
}

/** Whether a node is an identifier, of that name where one is given. */
export function isIdentifier(
  node: Node | null | undefined,
  name?: string,
): node is Node & { readonly name: string } {
  return node?.type === 'Identifier' && (name === undefined || node.name === name);
}

const WRAPPINGS = new Set([
  'ChainExpression',
  'TSNonNullExpression',
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSTypeAssertion',
  'ParenthesizedExpression',
]);

/** The expression without casts, `!` and optional chaining around it. */
export function unwrap(node: Node): Node {
  let inner = node;
  while (WRAPPINGS.has(inner.type) && typeof inner.expression === 'object') inner = inner.expression;
  return inner;
}

/** The string that a literal, or a template without expressions, holds. */
export function stringOf(node: Node | null | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type !== 'TemplateLiteral' || node.expressions?.length !== 0) return undefined;
  const { cooked } = (node.quasis?.[0]?.value ?? {}) as { cooked?: string };
  return cooked;
}

/** The number that an expression of literals comes to: `10_000`, `10 * 1000`. */
export function numberOf(node: Node | null | undefined): number | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'number') return node.value;
  if (node?.type !== 'BinaryExpression') return undefined;
  const [left, right] = [numberOf(node.left), numberOf(node.right)];
  if (left === undefined || right === undefined) return undefined;
  if (node.operator === '*') return left * right;
  return node.operator === '+' ? left + right : undefined;
}

/** The name of a member or a property, where it is written out. */
export function keyName(node: Node | undefined): string | undefined {
  const key = node?.type === 'MemberExpression' ? node.property : node?.key;
  if (key === undefined || node === undefined) return undefined;
  if (node.computed !== true && (key.type === 'Identifier' || key.type === 'PrivateIdentifier'))
    return key.name;
  return stringOf(key);
}

/** Whether a call is `<anything>.name(…)`, for one of the names. */
export function isMethodCall(node: Node | null | undefined, names: RegExp): node is Node {
  if (node?.type !== 'CallExpression' || node.callee === undefined) return false;
  const name = keyName(unwrap(node.callee));
  return name !== undefined && unwrap(node.callee).type === 'MemberExpression' && names.test(name);
}

/** Whether the one node lies within the other. */
export function isWithin(inner: Node | Token, outer: Node): boolean {
  return inner.range[0] >= outer.range[0] && inner.range[1] <= outer.range[1];
}

/** The nearest node around this one that fits; `undefined` where none does. */
export function around(node: Node, fits: (candidate: Node) => boolean): Node | undefined {
  let current = node.parent;
  while (current !== undefined && !fits(current)) current = current.parent ?? undefined;
  return current;
}

/** All nodes of a tree, in the order of the text. `enter` may say `false` in order not to go further in. */
export function walk(node: Node, source: Pick<Source, 'visitorKeys'>, enter: (node: Node) => unknown): void {
  if (enter(node) === false) return;
  const keys = source.visitorKeys[node.type] ?? [];
  for (const key of keys) {
    const child = (node as unknown as Record<string, unknown>)[key];
    const children = (Array.isArray(child) ? child : [child]) as (Node | null | undefined)[];
    for (const each of children) if (each != null && typeof each.type === 'string') walk(each, source, enter);
  }
}

/** The statements of a block or of a function's body; none for an arrow function that is an expression. */
export function statementsOf(node: Node | undefined): Node[] {
  if (node === undefined) return [];
  const { body } = node;
  if (Array.isArray(body)) return body;
  return body?.type === 'BlockStatement' ? statementsOf(body) : [];
}
