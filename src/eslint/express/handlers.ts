import type { Node, Source } from '../code/node';
import { isFunction, isIdentifier, keyName, parametersOf, unwrap, walk } from '../code/node';
import { variableOf } from '../code/origin';
import type { Project } from '../code/project';
import { handlerByShape, handlerByType } from './handler-shape';
import { memberFunctions } from './members';
import { registrationOf } from './registration';

/** A function that Express calls with a request. */
export interface Handler {
  readonly fn: Node;
  /** The parameter that is the request: an identifier, or a pattern that takes it apart. */
  readonly req: Node;
  readonly res: Node | undefined;
  readonly next: Node | undefined;
  /** `certain` if the file shows that Express calls it; `likely` if only its shape says so. */
  readonly evidence: 'certain' | 'likely';
  /** Whether it is seen to be registered on an app or a router, in this file. */
  readonly registered: boolean;
  /** Whether it stands in a call, `asyncHandler(async (req, res) => …)`, which takes care of its promise. */
  readonly wrapped: boolean;
}

const known = new WeakMap<Source, Map<Node, Handler>>();

/** All handlers of a file. */
export function handlersOf(source: Source, project: Project): ReadonlyMap<Node, Handler> {
  let handlers = known.get(source);
  if (handlers === undefined) {
    handlers = new Map();
    known.set(source, handlers);
    collect(source, project, handlers);
  }
  return handlers;
}

function collect(source: Source, project: Project, handlers: Map<Node, Handler>): void {
  const isExpress = isExpressProject(project);
  walk(source.ast, source, (node) => {
    if (node.type === 'CallExpression') {
      const registration = registrationOf(node, source);
      if (registration === undefined) return;
      const evidence = registration.certain || isExpress ? 'certain' : 'likely';
      for (const each of registration.handlers)
        for (const [fn, wrapped] of functionsBehind(each, source))
          add(handlers, fn, registration.method, evidence, wrapped);
    } else if (isFunction(node) && !handlers.has(node)) {
      const typed = handlerByType(node, source, project);
      const found = typed ?? handlerByShape(node, source);
      if (found === undefined) return;
      const evidence = typed !== undefined || isExpress ? 'certain' : 'likely';
      if (evidence === 'certain' || !project.known || isServerProject(project))
        handlers.set(node, { ...found, fn: node, evidence, registered: false });
    }
  });
}

/** Frameworks whose handlers look like Express's, and whose request is another. */
const OTHERS = ['next', 'fastify', 'koa', '@hapi/hapi', 'restify', 'polka', 'micro', 'firebase-functions'];

function isServerProject(project: Project): boolean {
  return project.has('express') || project.has('@nestjs/platform-express');
}

function isExpressProject(project: Project): boolean {
  return isServerProject(project) && !OTHERS.some((name) => project.has(name));
}

function add(
  handlers: Map<Node, Handler>,
  fn: Node,
  method: string,
  evidence: Handler['evidence'],
  wrapped: boolean,
): void {
  const params = parametersOf(fn);
  const isError = params.length === 4 && (method === 'use' || params[0]?.name?.startsWith('e') === true);
  const [req, res, next] = isError ? params.slice(1) : params;
  if (req === undefined || params.length > 4) return;
  const before = handlers.get(fn);
  const stronger = before?.evidence === 'certain' ? 'certain' : evidence;
  handlers.set(fn, {
    fn,
    req,
    res,
    next,
    evidence: stronger,
    registered: true,
    wrapped: wrapped && before?.wrapped !== false,
  });
}

/** The functions that an argument of a registration stands for, each with whether a call wraps it. */
export function functionsBehind(
  argument: Node,
  source: Source,
  wrapped = false,
  depth = 0,
): [fn: Node, wrapped: boolean][] {
  const node = unwrap(argument);
  if (depth > 8) return [];
  if (isFunction(node)) return parametersOf(node).length === 0 ? [] : [[node, wrapped]];
  const further = (next: Node, isWrapped = wrapped): [Node, boolean][] =>
    functionsBehind(next, source, isWrapped, depth + 1);
  if (isIdentifier(node)) return behindIdentifier(node, source).flatMap((each) => further(each));
  if (node.type === 'MemberExpression') return memberFunctions(node, source).map((fn) => [fn, wrapped]);
  if (node.type === 'ArrayExpression')
    return (node.elements ?? []).flatMap((each) => (each === null ? [] : further(each)));
  if (node.type !== 'CallExpression' || node.callee === undefined) return [];
  const callee = unwrap(node.callee);
  if (callee.type === 'MemberExpression' && keyName(callee) === 'bind' && callee.object)
    return further(callee.object);
  return (node.arguments ?? []).filter(mayBeHandler).flatMap((each) => further(each, true));
}

/** Whether an argument of a wrapping call may be a handler, by its parameters. It may also be a schema or an option. */
function mayBeHandler(node: Node): boolean {
  const inner = unwrap(node);
  if (isFunction(inner)) return parametersOf(inner).length >= 2;
  return inner.type === 'Identifier' || inner.type === 'MemberExpression' || inner.type === 'CallExpression';
}

function behindIdentifier(node: Node, source: Source): Node[] {
  const def = variableOf(node, source)?.defs[0];
  if (def?.type === 'FunctionName') return [def.node];
  if (def?.type !== 'Variable' || !isIdentifier(def.node.id) || def.node.init == null) return [];
  return [def.node.init];
}
