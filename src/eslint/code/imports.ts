import { eol } from '../calls/add-signal';
import type { Edit } from '../calls/add-signal';
import { isWithin, stringOf, walk, type Node, type Scope, type Source } from './node';
import { lineAfter } from './remove';

/** The module of each name of ours, and its alias for files in which the name is taken. */
export const OUR_NAMES: Record<string, { readonly from: string; readonly alias: string }> = {
  hangup: { from: 'express-hangup', alias: 'expressHangup' },
  deadline: { from: 'express-hangup', alias: 'routeDeadline' },
  gatewayErrorHandler: { from: 'express-hangup', alias: 'hangupErrorHandler' },
  classifyError: { from: 'express-hangup', alias: 'classifyGatewayError' },
  currentSignal: { from: 'express-hangup', alias: 'currentRequestSignal' },
  drainable: { from: 'express-hangup', alias: 'drainableServer' },
  hangupProxy: { from: 'express-hangup/proxy', alias: 'hangupProxyOptions' },
};

/** A name of ours as a file may write it, and the edits that make it known there. */
export interface Imported {
  readonly local: string;
  readonly edits: readonly Edit[];
}

/**
 * Makes one of our names known to a file: by the import that is there, by a longer one, or by a new one. In CommonJS it has to
 * stand `before` its first use.
 */
export function imported(
  name: string,
  source: Source,
  importsAreAdded: boolean | undefined,
  before?: number,
): Imported {
  const { from, alias } = OUR_NAMES[name] ?? { from: 'express-hangup', alias: name };
  const known = localName(name, from, source);
  if (known !== undefined) return { local: known, edits: [] };
  const local = isTaken(name, source) ? alias : name;
  return {
    local,
    edits: importsAreAdded === true ? [] : [importEdit([[name, local]], from, source, before)],
  };
}

/** Whether a file declares a name: anywhere in it, or where a given node sees it or holds it. */
export function isTaken(name: string, source: Source, near?: Node): boolean {
  const all = source.scopeManager?.scopes ?? [];
  const isNear = ({ block }: Scope): boolean =>
    near === undefined || isWithin(near, block) || isWithin(block, near);
  return all.filter(isNear).some((scope) => (scope.set.get(name)?.defs.length ?? 0) > 0);
}

/** What a file calls a name that it imports from a module already. */
export function localName(name: string, from: string, source: Source): string | undefined {
  for (const statement of source.ast.body) {
    const found = specifiersOf(statement, from)?.find((each) => each.imported === name);
    if (found !== undefined) return found.local;
  }
  return undefined;
}

interface Specifier {
  readonly imported: string;
  readonly local: string;
  readonly node: Node;
}

/** The names that a statement takes from a module, by `import { … }` or `const { … } = require()`. */
function specifiersOf(statement: Node, from: string): Specifier[] | undefined {
  if (statement.type === 'ImportDeclaration') {
    if (stringOf(statement.source) !== from || statement.importKind === 'type') return undefined;
    return (statement.specifiers ?? []).flatMap((node) =>
      node.type === 'ImportSpecifier'
        ? [{ imported: node.imported?.name ?? '', local: node.local?.name ?? '', node }]
        : [],
    );
  }
  const declarator = statement.type === 'VariableDeclaration' ? statement.declarations?.[0] : undefined;
  if (declarator?.id?.type !== 'ObjectPattern' || requiredBy(declarator.init) !== from) return undefined;
  return (declarator.id.properties ?? []).map((node) => ({
    imported: node.key?.name ?? '',
    local: (node.value as Node | undefined)?.name ?? '',
    node,
  }));
}

function requiredBy(node: Node | null | undefined): string | undefined {
  const isRequire = node?.type === 'CallExpression' && node.callee?.name === 'require';
  return isRequire ? stringOf(node.arguments?.[0]) : undefined;
}

/** The edit that imports names from a module in the file's own style. */
export function importEdit(
  names: readonly (readonly [name: string, local: string])[],
  from: string,
  source: Source,
  before?: number,
): Edit {
  const isModule = usesImports(source);
  const text = names
    .map(([name, local]) => (name === local ? name : `${name}${isModule ? ' as' : ':'} ${local}`))
    .join(', ');
  for (const statement of source.ast.body) {
    // Nothing may follow a rest element.
    const last = specifiersOf(statement, from)?.findLast(({ node }) => node.type !== 'RestElement');
    if (last !== undefined) return { range: [last.node.range[1], last.node.range[1]], text: `, ${text}` };
  }
  const { quote, end } = styleOf(source);
  const module = `${quote}${from}${quote}`;
  const line = isModule
    ? `import { ${text} } from ${module}${end}`
    : `${declarationWord(source)} { ${text} } = require(${module})${end}`;
  return afterImports(line, source, before);
}

/**
 * The edit that puts a line after a file's imports: in CommonJS after those with which it begins, as one further down may come
 * after the line's first use.
 */
export function afterImports(line: string, source: Source, before = Infinity): Edit {
  const { body } = source.ast;
  const imports = usesImports(source) ? body.filter(({ type }) => IMPORT.test(type)) : leadingRequires(body);
  const last = imports.findLast(({ range }) => range[1] <= before);
  const statement = last ?? body.findLast(isDirective);
  if (statement !== undefined) return lineAfter(statement, line, source);
  const start = /^\uFEFF?(#![^\n]*\n)?/.exec(source.text)?.[0].length ?? 0;
  return { range: [start, start], text: `${line}${eol(source)}` };
}

const IMPORT = /^(Import|TSImportEquals)Declaration$/;

function leadingRequires(body: readonly Node[]): Node[] {
  const rest = body.filter((statement) => !isDirective(statement));
  const end = rest.findIndex((statement) => !isTopRequire(statement));
  return end === -1 ? rest : rest.slice(0, end);
}

function isDirective(statement: Node): boolean {
  return typeof (statement as { directive?: string }).directive === 'string';
}

/** `const x = require('x')`, also with a call or a member after it, and `require('x').config()`. */
function isTopRequire(statement: Node): boolean {
  const isExpression = statement.type === 'ExpressionStatement' && typeof statement.expression === 'object';
  const values = isExpression
    ? [statement.expression]
    : (statement.declarations ?? []).map(({ init }) => init);
  return values.some((value) => {
    let inner = value ?? undefined;
    while (inner?.type === 'MemberExpression' || (inner?.type === 'CallExpression' && !requiredBy(inner)))
      inner = inner.type === 'MemberExpression' ? inner.object : inner.callee;
    return requiredBy(inner) !== undefined;
  });
}

/** Whether a file is written with `import`; one that uses neither is what its source type says. */
export function usesImports(source: Source): boolean {
  const { body } = source.ast;
  if (body.some(({ type }) => /^((Import|Export)\w*|TSImportEquals)Declaration$/.test(type))) return true;
  if (/\brequire\s*\(|\bmodule\.exports\b|\bexports\.\w/.test(source.text)) return false;
  return (source.ast as unknown as { sourceType?: string }).sourceType === 'module';
}

/** How a file quotes and whether it ends statements with semicolons; most of its statements decide. */
export function styleOf(source: Source): { quote: "'" | '"'; end: ';' | '' } {
  const { text } = source;
  const doubles = text.match(/(from|require\()\s*"/g)?.length ?? 0;
  const singles = text.match(/(from|require\()\s*'/g)?.length ?? 0;
  const plain = source.ast.body.filter(({ type }) =>
    /^(Import\w*|VariableDeclaration|ExpressionStatement)/.test(type),
  );
  const ended = plain.filter((statement) => source.getLastToken(statement)?.value === ';').length;
  return { quote: doubles > singles ? '"' : "'", end: ended * 2 >= plain.length ? ';' : '' };
}

/** How a file declares what does not change: `var` where it has nothing but that, else `const`. */
export function declarationWord(source: Source): 'var' | 'const' {
  const kinds = new Set<string | undefined>();
  walk(source.ast, source, ({ type, kind }) => {
    if (type === 'VariableDeclaration') kinds.add(kind);
  });
  return kinds.size === 1 && kinds.has('var') ? 'var' : 'const';
}

/** Lines for one place become one edit: ESLint refuses two insertions there. */
export function joined(edits: readonly Edit[]): Edit[] {
  const byPlace = new Map<string, Edit>();
  for (const { range, text } of edits) {
    const key = range.join();
    byPlace.set(key, { range, text: (byPlace.get(key)?.text ?? '') + text });
  }
  return [...byPlace.values()];
}
