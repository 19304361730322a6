import { join, relative, resolve } from 'node:path';
import ts from 'typescript';

const src = resolve(__dirname, '../../src');
const MAIN = join(src, 'index.ts');
const ENTRY = join(src, 'diagnose/index.ts');

const program = ts.createProgram([MAIN, ENTRY], {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.Node16,
  strict: true,
  noEmit: true,
  types: ['node'],
});
const checker = program.getTypeChecker();

function exportsOf(file: string): Set<ts.Symbol> {
  const module = checker.getSymbolAtLocation(program.getSourceFile(file)!);
  return new Set(checker.getExportsOfModule(module!).map(resolved));
}

function resolved(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** The types of this package that a declaration names, without what stands in bodies and in private members. */
function namedIn(declaration: ts.Node): ts.Symbol[] {
  const found: ts.Symbol[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isBlock(node) || isHidden(node)) return;
    if (ts.isTypeReferenceNode(node)) found.push(...symbolAt(node.typeName));
    if (ts.isExpressionWithTypeArguments(node)) found.push(...symbolAt(node.expression));
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return found;
}

function isHidden(node: ts.Node): boolean {
  if (ts.isPropertyDeclaration(node) && ts.isPrivateIdentifier(node.name)) return true;
  return (
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
  );
}

function symbolAt(name: ts.Node): ts.Symbol[] {
  const symbol = checker.getSymbolAtLocation(name);
  if (symbol === undefined) return [];
  const own = resolved(symbol);
  const isOurs = own.declarations?.some((declaration) => {
    const isParameter = ts.isTypeParameterDeclaration(declaration);
    return !isParameter && declaration.getSourceFile().fileName.startsWith(src);
  });
  return isOurs === true ? [own] : [];
}

/** What can be reached from the exports of an entry point and has no name there, nor in the package's main one. */
function unnamedIn(file: string): string[] {
  const exported = exportsOf(file);
  const named = new Set([...exported, ...exportsOf(MAIN)]);
  const seen = new Set<ts.Symbol>();
  const missing: string[] = [];
  const follow = (symbol: ts.Symbol): void => {
    if (seen.has(symbol)) return;
    seen.add(symbol);
    const [declaration] = symbol.declarations ?? [];
    if (!named.has(symbol) && declaration)
      missing.push(`${symbol.name} (${relative(src, declaration.getSourceFile().fileName)})`);
    for (const each of symbol.declarations ?? []) namedIn(each).forEach(follow);
  };
  exported.forEach(follow);
  return missing.sort();
}

describe('the types of express-hangup/diagnose', () => {
  it('are all exported there, or by the main entry point', () => {
    expect(exportsOf(ENTRY).size).toBeGreaterThan(20);
    expect(unnamedIn(ENTRY)).toEqual([]);
  });
});
