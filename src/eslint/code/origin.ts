import {
  isIdentifier,
  keyName,
  stringOf,
  unwrap,
  walk,
  type Node,
  type Scope,
  type Source,
  type Variable,
} from './node';

/**
 * Where a value comes from: the module or global, and what was then done to get it. `const api = axios.create(); api.get` is
 * `{ from: 'axios', path: '.create().get' }`.
 */
export interface Origin {
  readonly from: string;
  readonly path: string;
}

/** How deep a value is followed through variables and calls. */
const DEPTH = 16;

const known = new WeakMap<Source, Map<Node, Origin | undefined>>();

/** Where an expression's value comes from; `undefined` where that cannot be seen. */
export function originOf(node: Node | null | undefined, source: Source, depth = 0): Origin | undefined {
  if (node == null || depth > DEPTH) return undefined;
  let origins = known.get(source);
  if (origins === undefined) known.set(source, (origins = new Map<Node, Origin | undefined>()));
  if (origins.has(node)) return origins.get(node);
  const origin = found(unwrap(node), source, depth);
  // A search that was given up for its depth may succeed from a nearer place, so its result is not kept.
  if (origin !== undefined || depth === 0) origins.set(node, origin);
  return origin;
}

function found(inner: Node, source: Source, depth: number): Origin | undefined {
  switch (inner.type) {
    case 'Identifier':
      return originOfIdentifier(inner, source, depth + 1);
    case 'AwaitExpression':
      return originOf(inner.argument, source, depth + 1);
    case 'ImportExpression':
      return moduleOrigin(stringOf(inner.source));
    case 'MemberExpression':
      return originOfMember(inner, source, depth + 1);
    case 'CallExpression':
      return originOfCall(inner, source, depth + 1);
    case 'AssignmentExpression':
      return inner.operator === '=' ? originOf(inner.right, source, depth + 1) : undefined;
    case 'NewExpression': {
      const made = originOf(inner.callee, source, depth + 1);
      return made && { from: made.from, path: `${made.path}.new()` };
    }
    default:
      return undefined;
  }
}

/** The same as text, `axios.create().get`; a global begins with `global.`. */
export function originText(node: Node | null | undefined, source: Source): string | undefined {
  const origin = originOf(node, source);
  return origin && `${origin.from}${origin.path}`;
}

/** The variable that an identifier stands for; `undefined` for a global that nobody declares. */
export function variableOf(identifier: Node, source: Source): Variable | undefined {
  const { name } = identifier;
  if (name === undefined) return undefined;
  let scope: Scope | null = source.getScope(identifier);
  while (scope !== null) {
    const found = scope.set.get(name);
    if (found !== undefined) return found;
    scope = scope.upper;
  }
  return undefined;
}

/** What an identifier was declared as: a function, a class, or what its variable was set to at first. */
export function valueOf(identifier: Node, source: Source): Node | undefined {
  const def = isIdentifier(identifier) ? variableOf(identifier, source)?.defs[0] : undefined;
  if (def?.type === 'FunctionName' || def?.type === 'ClassName') return def.node;
  return def?.type === 'Variable' && isIdentifier(def.node.id) ? (def.node.init ?? undefined) : undefined;
}

function moduleOrigin(name: string | undefined): Origin | undefined {
  return name === undefined ? undefined : { from: name.replace(/^node:/, ''), path: '' };
}

/** `.default` is dropped: CommonJS and ES modules name the same value with and without it. */
function member(origin: Origin, name: string): Origin {
  const isDefault = name === 'default' && origin.path === '' && !origin.from.startsWith('.');
  return isDefault ? origin : { from: origin.from, path: `${origin.path}.${name}` };
}

function originOfIdentifier(node: Node, source: Source, depth: number): Origin | undefined {
  const variable = variableOf(node, source);
  const [def] = variable?.defs ?? [];
  if (variable === undefined || def === undefined) return { from: 'global', path: `.${node.name ?? ''}` };
  if (variable.defs.length > 1) return undefined;
  if (def.type === 'ImportBinding') return originOfImport(def.node, def.parent ?? undefined);
  if (def.type === 'Variable') return originOfVariable(variable, def.node, source, depth);
  return undefined;
}

function originOfImport(specifier: Node, declaration: Node | undefined): Origin | undefined {
  if (specifier.type === 'TSImportEqualsDeclaration') {
    const { moduleReference } = specifier;
    return moduleOrigin(stringOf(moduleReference?.expression as Node | undefined));
  }
  const from = moduleOrigin(stringOf(declaration?.source));
  if (from === undefined || specifier.type === 'ImportNamespaceSpecifier') return from;
  if (specifier.type === 'ImportDefaultSpecifier') return member(from, 'default');
  return member(from, specifier.imported?.name ?? stringOf(specifier.imported) ?? 'default');
}

function originOfVariable(
  variable: Variable,
  declarator: Node,
  source: Source,
  depth: number,
): Origin | undefined {
  const writes = variable.references.filter((reference) => reference.isWrite());
  const [write] = writes;
  if (writes.length !== 1 || write === undefined) return undefined;
  if (declarator.init == null) return originOf(write.writeExpr, source, depth);
  const dynamic = dynamicNodeFetch(declarator.init, source);
  if (dynamic !== undefined) return dynamic;
  const base = originOf(declarator.init, source, depth);
  if (base === undefined || declarator.id == null) return undefined;
  const path = pathTo(variable.name, declarator.id);
  return path?.reduce(member, base);
}

/** The keys from a pattern down to a name: `{ a: { b: name } }` gives `['a', 'b']`. */
function pathTo(name: string, pattern: Node): string[] | undefined {
  if (isIdentifier(pattern, name)) return [];
  if (pattern.type !== 'ObjectPattern') return undefined;
  for (const property of pattern.properties ?? []) {
    const inner = property.type === 'Property' ? pathTo(name, property.value as Node) : undefined;
    const key = keyName(property);
    if (inner !== undefined && key !== undefined) return [key, ...inner];
  }
  return undefined;
}

/** What node-fetch's own page tells CommonJS users to write: `(...args) => import('node-fetch').then(…)`. */
function dynamicNodeFetch(init: Node, source: Source): Origin | undefined {
  if (init.type !== 'ArrowFunctionExpression' || init.params?.[0]?.type !== 'RestElement') return undefined;
  let dynamic: Origin | undefined;
  walk(init, source, (node) => {
    const name = node.type === 'ImportExpression' ? stringOf(node.source) : undefined;
    if (name !== undefined && /fetch$/.test(name)) dynamic = moduleOrigin(name);
  });
  return dynamic;
}

function originOfMember(node: Node, source: Source, depth: number): Origin | undefined {
  const name = keyName(node);
  if (name === undefined || node.object === undefined) return undefined;
  if (unwrap(node.object).type === 'ThisExpression')
    return originOf(ownProperty(node, source), source, depth);
  const object = originOf(node.object, source, depth);
  return object && member(object, name);
}

const ownProperties = new WeakMap<Node, Map<string, Node[]>>();

/** What `this.app` is, by the one place in the class that sets it. */
export function ownProperty(member: Node, source: Source): Node | undefined {
  const isOwn = member.object !== undefined && unwrap(member.object).type === 'ThisExpression';
  const name = isOwn ? keyName(member) : undefined;
  let outer: Node | undefined = member;
  while (outer != null && outer.type !== 'ClassBody') outer = outer.parent ?? undefined;
  if (outer === undefined || name === undefined) return undefined;
  let properties = ownProperties.get(outer);
  if (properties === undefined) ownProperties.set(outer, (properties = propertiesSetIn(outer, source)));
  const values = properties.get(name) ?? [];
  return values.length === 1 ? values[0] : undefined;
}

/** Everything that a class sets on `this`, by name. One walk for a class: some have thousands of lines. */
function propertiesSetIn(classBody: Node, source: Source): Map<string, Node[]> {
  const found = new Map<string, Node[]>();
  const add = (name: string | undefined, value: Node | null | undefined): void => {
    if (name !== undefined && value != null) found.set(name, [...(found.get(name) ?? []), value]);
  };
  walk(classBody, source, (each) => {
    if (each.type === 'PropertyDefinition') add(keyName(each), each.value as Node | null);
    if (each.type !== 'AssignmentExpression' || each.left?.type !== 'MemberExpression') return;
    if (each.left.object?.type === 'ThisExpression') add(keyName(each.left), each.right);
  });
  return found;
}

function originOfCall(node: Node, source: Source, depth: number): Origin | undefined {
  const [first] = node.arguments ?? [];
  const callee = originOf(node.callee, source, depth);
  if (callee === undefined) return undefined;
  if (callee.from === 'global' && callee.path === '.require') return moduleOrigin(stringOf(first));
  if (callee.from === 'util' && callee.path === '.promisify') {
    const promisified = originOf(first, source, depth);
    return promisified && { from: promisified.from, path: `${promisified.path}.promisified` };
  }
  return { from: callee.from, path: `${callee.path}()` };
}
