import type { Edit } from '../calls/add-signal';
import { afterImports, declarationWord, isTaken, styleOf } from '../code/imports';
import { isFunction, parametersOf, statementsOf, unwrap, walk, type Node } from '../code/node';
import { originOf } from '../code/origin';
import { functionsBehind } from '../express/handlers';
import { registrationOf } from '../express/registration';
import { rule, type RuleKit } from '../rule';

/** Reports an async handler on Express 4: nothing handles its rejection, which ends the process. */
export const guardAsyncHandler = rule(
  {
    description: 'On Express 4, the promises of async handlers are looked at',
    messages: {
      unguarded: 'Express 4 does not look at the promise of this handler: its rejection ends the process.',
      guard: 'Hand its rejection to `next`, with `{{guard}}()`.',
    },
  },
  (kit) => {
    const isFour = kit.project.express === 4 && !kit.project.has('express-async-errors');
    if (!isFour) return {};
    return {
      CallExpression: (call) => {
        for (const each of registrationOf(call, kit.source)?.handlers ?? [])
          if (isUnguarded(each, kit)) report(each, kit);
      },
      // A controller in a file of its own: nobody sees here whether its route guards it.
      'Program:exit': () => {
        for (const { fn, res, evidence, wrapped } of kit.handlers().values()) {
          const isExported =
            evidence === 'certain' && !wrapped && res !== undefined && isExportedExpression(fn);
          if (isExported && isAsyncOpen(fn, kit)) report(fn, kit);
        }
      },
    };
  },
);

function isUnguarded(handler: Node, kit: RuleKit): boolean {
  const inner = unwrap(handler);
  if (inner.type === 'CallExpression') return false;
  const functions = functionsBehind(inner, kit.source);
  if (functions.length > 0)
    return functions.some(([fn, wrapped]) => !wrapped && !isExportedExpression(fn) && isAsyncOpen(fn, kit));
  const origin = originOf(inner, kit.source);
  // If another file's controller is an expression, it can be wrapped there, and is repaired there.
  return origin?.from.startsWith('.') === true && kit.files.isAsyncHandler(origin) === 'declaration';
}

/** Whether an async function leaves room for a rejection: not where all of it stands in `try … catch`. */
function isAsyncOpen(fn: Node, { source }: RuleKit): boolean {
  // Express tells error handlers by their four parameters, which a wrapper would hide.
  if (fn.async !== true || parametersOf(fn).length > 3) return false;
  const statements = statementsOf(fn);
  const isWhole = (each: Node): boolean =>
    each.type === 'TryStatement' && each.handler != null && !awaits(each.handler);
  const awaits = (node: Node): boolean => {
    let found = false;
    walk(node, source, (each) => {
      if (isFunction(each)) return false;
      if (each.type === 'AwaitExpression' || each.type === 'ThrowStatement') found = true;
      return !found;
    });
    return found;
  };
  if (statements.length === 0) return awaits(fn.body as Node);
  return statements.some((each) => awaits(each) && !isWhole(each));
}

/** `exports.list = async (req, res) => …`, `export const list = async …`, and not a declaration, which cannot be wrapped. */
function isExportedExpression(fn: Node): boolean {
  if (fn.type === 'FunctionDeclaration') return false;
  const { parent } = fn;
  if (parent?.type === 'AssignmentExpression') return parent.right === fn;
  const declaration = parent?.type === 'VariableDeclarator' ? parent.parent : undefined;
  return declaration?.parent?.type === 'ExportNamedDeclaration';
}

const GUARD = /^(async(Handler|Wrapper|Wrap|Middleware)|catchAsync|wrapAsync|forwardErrors)$/;

function report(handler: Node, kit: RuleKit): void {
  const { guard, edits } = guardIn(kit);
  const wrapping: Edit[] = [
    { range: [handler.range[0], handler.range[0]], text: `${guard}(` },
    { range: [handler.range[1], handler.range[1]], text: ')' },
  ];
  kit.report({
    node: handler,
    messageId: 'unguarded',
    suggest: [{ messageId: 'guard', data: { guard }, edits: [...edits, ...wrapping] }],
  });
}

/** The guard that a file has already, or one of its own. */
function guardIn({ source, filename, settings }: RuleKit): { guard: string; edits: readonly Edit[] } {
  const scopes = source.scopeManager?.scopes ?? [];
  const names = scopes.slice(0, 2).flatMap((scope) => scope.variables.filter(({ defs }) => defs.length > 0));
  const known = names.find(({ name }) => GUARD.test(name));
  if (known !== undefined) return { guard: known.name, edits: [] };
  const edits = settings.importsAreAdded === true ? [] : [afterImports(guardLine(source, filename), source)];
  return { guard: isTaken('forwardErrors', source) ? 'handErrorsOn' : 'forwardErrors', edits };
}

/** The line that declares the guard, in the file's own style. */
export function guardLine(source: RuleKit['source'], filename: string): string {
  const { quote, end } = styleOf(source);
  const isTyped = /\.([cm]?ts|tsx)$/.test(filename);
  const body = `(req, res, next) => Promise.resolve(handler(req, res, next)).catch(next)${end}`;
  if (!isTyped) return `${declarationWord(source)} forwardErrors = (handler) => ${body}`;
  // The guard's type parameters pass on the types that the route declares. Without them, the types are as without the guard.
  const express = `import(${quote}express${quote})`;
  const of = (member: string): string => `${express}.Request[${quote}${member}${quote}]`;
  const own = `P = ${of('params')}, ResBody = ${of('body')}, ReqBody = ${of('body')}, Query = ${of('query')}`;
  const type = `${express}.RequestHandler<P, ResBody, ReqBody, Query>`;
  return `const forwardErrors = <${own}>(handler: ${type}): ${type} => ${body}`;
}
