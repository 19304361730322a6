import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CALL_WORDS } from '../calls/call-shapes';
import { isIdentifier, keyName, stringOf, unwrap, type Node, type Source } from './node';
import type { Origin } from './origin';

/** A parser as ESLint's `languageOptions.parser` is one. */
export interface Parser {
  parse?: (text: string, options: object) => unknown;
  parseForESLint?: (text: string, options: object) => { ast: unknown; visitorKeys?: Source['visitorKeys'] };
}

/** What another file has at its top level. */
export interface Loaded {
  /** By name; what is not exported stands under `local name` too. */
  readonly exports: ReadonlyMap<string, Node>;
  /** Where the names come from that it imports. */
  readonly imports: ReadonlyMap<string, Origin>;
}

/** An export of another file. */
export interface Found {
  readonly node: Node;
  /** What is done with it: `.new().mount` for `new Routes().mount`. */
  readonly rest: string;
  readonly loaded: Loaded;
  readonly file: string;
}

interface Read {
  readonly at: number;
  readonly text: string;
  readonly has: Record<Wanted, boolean>;
  /** `undefined` before it is parsed, `null` where it does not parse. */
  loaded: Loaded | null | undefined;
}

/** What is asked of a file. A file without the words for it is not parsed. */
type Wanted = 'call' | 'async' | 'app';

const cache = new Map<string, Read>();
const ENDINGS = ['', '.js', '.ts', '.mjs', '.cjs', '.mts', '.cts', '.jsx', '.tsx', '/index.js', '/index.ts'];

/** Finds exports of the files that one file imports by a relative path. Each is parsed once, and not run. */
export function filesBeside(
  filename: string,
  parser: Parser,
): (origin: Origin, wanted: Wanted) => Found | undefined {
  // A file calls the same few others again and again.
  const paths = new Map<string, string | undefined>();
  return ({ from, path }, wanted) => {
    if (!paths.has(from)) paths.set(from, resolved(filename, from));
    const file = paths.get(from);
    const loaded = file === undefined ? undefined : load(file, parser, wanted);
    if (file === undefined || loaded === undefined) return undefined;
    const [, name = 'default', rest = ''] = /^\.(\w+)(.*)$/.exec(path) ?? [];
    const node = loaded.exports.get(name);
    if (node !== undefined) return { node, rest, loaded, file };
    const whole = loaded.exports.get('default');
    return whole && { node: whole, rest: path, loaded, file };
  };
}

/** An origin by the names of the file's top level only: `axios.create()`. */
export function textOf(node: Node, loaded: Loaded, depth = 0): string | undefined {
  const inner = unwrap(node);
  if (depth > 8) return undefined;
  if (isIdentifier(inner)) {
    const imported = loaded.imports.get(inner.name);
    if (imported !== undefined) return `${imported.from}${imported.path}`;
    const own = loaded.exports.get(`local ${inner.name}`);
    return own === undefined ? `global.${inner.name}` : textOf(own, loaded, depth + 1);
  }
  if (inner.type === 'MemberExpression' && inner.object) {
    const object = textOf(inner.object, loaded, depth + 1);
    const name = keyName(inner);
    return object === undefined || name === undefined || name === 'default' ? object : `${object}.${name}`;
  }
  if (inner.type !== 'CallExpression' || inner.callee === undefined) return undefined;
  const required = requiredBy(inner);
  if (required !== undefined) return required;
  const callee = textOf(inner.callee, loaded, depth + 1);
  return callee && `${callee}()`;
}

/** What a callee in another file is: a value of that file, or where it comes from. */
export function valueIn(callee: Node, loaded: Loaded, depth = 0): Node | Origin | undefined {
  const inner = unwrap(callee);
  if (depth > 8) return undefined;
  if (isIdentifier(inner)) {
    const own = loaded.exports.get(`local ${inner.name}`);
    return loaded.imports.get(inner.name) ?? (own && valueIn(own, loaded, depth + 1));
  }
  if (inner.type === 'MemberExpression' && inner.object) {
    const object = valueIn(inner.object, loaded, depth + 1);
    const name = keyName(inner);
    if (object === undefined || name === undefined) return undefined;
    return 'from' in object ? { from: object.from, path: `${object.path}.${name}` } : memberOf(object, name);
  }
  const from = requiredBy(inner);
  if (from !== undefined) return { from, path: '' };
  if (inner.type !== 'NewExpression' || inner.callee === undefined) return inner;
  const made = valueIn(inner.callee, loaded, depth + 1);
  return made !== undefined && 'from' in made ? { from: made.from, path: `${made.path}.new()` } : made;
}

/** A member of an object literal or a class, by its name. */
export function memberOf(holder: Node, name: string): Node | undefined {
  const body = holder.type.startsWith('Class') ? (holder.body as Node).body : holder.properties;
  const found = (Array.isArray(body) ? body : []).find((each) => keyName(each) === name);
  return (found?.value as Node | null | undefined) ?? undefined;
}

function resolved(filename: string, from: string): string | undefined {
  const base = join(dirname(filename), from);
  const bases = [base, base.replace(/\.([cm]?)js$/, '.$1ts')];
  return bases.flatMap((each) => ENDINGS.map((ending) => each + ending)).find(isFile);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function load(file: string, parser: Parser, wanted: Wanted): Loaded | undefined {
  const at = statSync(file).mtimeMs;
  let read = cache.get(file);
  if (read?.at !== at) {
    const text = readFileSync(file, 'utf8');
    const has = { call: CALL_WORDS.test(text), async: /\basync\b/.test(text), app: true };
    cache.set(file, (read = { at, text, has, loaded: undefined }));
  }
  if (!read.has[wanted]) return undefined;
  if (read.loaded === undefined) read.loaded = parseFile(file, read.text, parser) ?? null;
  return read.loaded ?? undefined;
}

function parseFile(file: string, text: string, parser: Parser): Loaded | undefined {
  const options = {
    ecmaVersion: 'latest',
    range: true,
    loc: true,
    filePath: file,
    ecmaFeatures: { globalReturn: false },
  };
  for (const sourceType of ['module', 'script']) {
    try {
      const given = { ...options, sourceType };
      const ast = (parser.parseForESLint?.(text, given).ast ?? parser.parse?.(text, given)) as
        Node | undefined;
      if (ast !== undefined) return exportsOf(ast.body as Node[]);
    } catch {
      // A file that does not parse as a module may parse as a script. If it parses as neither, it is ignored.
    }
  }
  return undefined;
}

function exportsOf(statements: readonly Node[]): Loaded {
  const exports = new Map<string, Node>();
  const imports = new Map<string, Origin>();
  for (const statement of statements) {
    const declared = statement.declaration ?? statement;
    const isExported = statement.type === 'ExportNamedDeclaration';
    if (statement.type === 'ImportDeclaration') noteImports(statement, imports);
    noteRequires(statement, imports);
    if (statement.type === 'ExportDefaultDeclaration') exports.set('default', declared);
    for (const [name, node] of declarationsOf(declared)) {
      exports.set(`local ${name}`, node);
      if (isExported) exports.set(name, node);
    }
    for (const specifier of isExported ? (statement.specifiers ?? []) : [])
      addLocal(exports, specifier.exported?.name ?? '', specifier.local);
    addCommonJs(statement, exports);
  }
  for (const [name, node] of exports) if (!name.startsWith('local ')) addLocal(exports, name, node);
  return { exports, imports };
}

function addLocal(exports: Map<string, Node>, name: string, node: Node | undefined): void {
  const local = isIdentifier(node) ? exports.get(`local ${node.name}`) : node;
  if (local !== undefined) exports.set(name, local);
}

function noteImports(statement: Node, imports: Map<string, Origin>): void {
  const from = (stringOf(statement.source) ?? '').replace(/^node:/, '');
  for (const { type, local, imported } of statement.specifiers ?? []) {
    const isNamed = type === 'ImportSpecifier' && imported?.name !== 'default';
    if (local?.name !== undefined)
      imports.set(local.name, { from, path: isNamed ? `.${imported?.name ?? ''}` : '' });
  }
}

/** `const { initRoutes } = require('./routes')`. */
function noteRequires({ declarations = [] }: Node, imports: Map<string, Origin>): void {
  for (const { id, init } of declarations) {
    const from = requiredBy(init);
    if (from === undefined || id?.type !== 'ObjectPattern') continue;
    for (const property of id.properties ?? []) {
      const [name, local] = [keyName(property), property.value as Node | undefined];
      if (name !== undefined && isIdentifier(local)) imports.set(local.name, { from, path: `.${name}` });
    }
  }
}

function requiredBy(node: Node | null | undefined): string | undefined {
  const isRequire = node?.type === 'CallExpression' && isIdentifier(node.callee, 'require');
  return isRequire ? stringOf(node.arguments?.[0])?.replace(/^node:/, '') : undefined;
}

function declarationsOf(node: Node): [string, Node][] {
  if (/^(Function|Class)Declaration$/.test(node.type) && isIdentifier(node.id)) return [[node.id.name, node]];
  if (node.type !== 'VariableDeclaration') return [];
  return (node.declarations ?? []).flatMap(({ id, init }): [string, Node][] =>
    isIdentifier(id) && init != null ? [[id.name, init]] : [],
  );
}

function addCommonJs(statement: Node, exports: Map<string, Node>): void {
  const assignment = typeof statement.expression === 'object' ? statement.expression : undefined;
  if (assignment?.type !== 'AssignmentExpression' || !assignment.left || !assignment.right) return;
  const { left, right } = assignment;
  const object = left.object && unwrap(left.object);
  if (left.type !== 'MemberExpression' || object === undefined) return;
  const name = keyName(left) ?? '';
  const isWhole = isIdentifier(object, 'module') && name === 'exports';
  if (!isWhole) {
    const isExports = isIdentifier(object, 'exports') || keyName(object) === 'exports';
    if (isExports) exports.set(name, right);
    return;
  }
  exports.set('default', right);
  for (const property of right.type === 'ObjectExpression' ? (right.properties ?? []) : [])
    if (property.type === 'Property') exports.set(keyName(property) ?? '', property.value as Node);
}
