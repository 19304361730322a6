import type { Node, Source } from '../code/node';
import { isFunction, isIdentifier, keyName, parametersOf, unwrap, walk } from '../code/node';
import { originOf, originText } from '../code/origin';
import type { Project } from '../code/project';

/** A handler's parameters, without a judgement of how certain it is. */
export interface Shape {
  readonly req: Node;
  readonly res: Node | undefined;
  readonly next: Node | undefined;
  readonly wrapped: boolean;
}

/** Methods of a response that only Express has. */
const EXPRESS_RESPONSE =
  /^(json|jsonp|status|send|sendStatus|sendFile|render|redirect|download|locals|cookie|clearCookie)$/;
const REQUEST_NAME = /^_?(req|request)$/i;
const RESPONSE_NAME = /^_?(res|resp|response)$/i;
/** Callers that pass a request and a response without an Express app around them. */
const FOREIGN = /^(firebase-functions|@google-cloud\/functions-framework|http|https|http2|msw|next)\b/;
const WRAPPERS = /^(express-async-handler|express-async-wrap|async-middleware)\(\)$/;

/**
 * Reads a function whose types, decorators or wrapper say that Express calls it: `(req: Request, res: Response)`,
 * `const list: RequestHandler = …`, `@Req() req`, `asyncHandler(async (req, res) => …)`.
 */
export function handlerByType(fn: Node, source: Source, project: Project): Shape | undefined {
  const params = parametersOf(fn);
  const nest = params.find((param) => hasDecorator(param, /^(Req|Request)$/));
  if (nest !== undefined) {
    const res = params.find((param) => hasDecorator(param, /^(Res|Response)$/));
    return project.has('@nestjs/platform-fastify')
      ? undefined
      : { req: nest, res, next: undefined, wrapped: true };
  }
  const wrapper = callOver(fn);
  const wrapped = wrapper !== undefined && WRAPPERS.test(originText(wrapper, source) ?? '');
  const isTyped = isExpressType(fn.parent?.type === 'VariableDeclarator' ? fn.parent.id : null, source);
  const first = params.findIndex((param) => isExpressType(param, source));
  if (first > 1 || (first === -1 && !wrapped && !isTyped)) return undefined;
  const [req, ...rest] = params.slice(Math.max(first, 0));
  if (req === undefined) return undefined;
  // A helper may take the request and something else: then its second parameter is no response.
  const isPair = wrapped || isTyped || (rest[0] !== undefined && isResponse(rest[0], source));
  const [res, next] = isPair ? rest : [];
  return { req, res, next, wrapped: wrapper !== undefined };
}

/** Reads a function that uses its second parameter as only Express's response can be used. */
export function handlerByShape(fn: Node, source: Source): Shape | undefined {
  const params = parametersOf(fn);
  const at = params.length === 4 ? 1 : 0;
  const [req, res, next] = params.slice(at);
  if (params.length > 4 || req === undefined || !isIdentifier(res) || !RESPONSE_NAME.test(res.name))
    return undefined;
  if (isIdentifier(req) ? !REQUEST_NAME.test(req.name) : req.type !== 'ObjectPattern') return undefined;
  const call = callOver(fn);
  if (call !== undefined && isForeign(call, source)) return undefined;
  return usesAsResponse(fn, res.name, source) ? { req, res, next, wrapped: call !== undefined } : undefined;
}

function isForeign(call: Node, source: Source): boolean {
  const origin = originOf(call, source);
  return origin !== undefined && FOREIGN.test(origin.from);
}

function callOver(fn: Node): Node | undefined {
  const { parent } = fn;
  return parent?.type === 'CallExpression' && parent.callee !== fn ? parent : undefined;
}

function usesAsResponse(fn: Node, name: string, source: Source): boolean {
  let found = false;
  walk(fn, source, (node) => {
    if (node !== fn && isFunction(node) && node.params.some((param) => param.name === name)) return false;
    const object = node.type === 'MemberExpression' && node.object ? unwrap(node.object) : undefined;
    if (isIdentifier(object, name) && EXPRESS_RESPONSE.test(keyName(node) ?? '')) found = true;
    return !found;
  });
  return found;
}

function hasDecorator(param: Node, names: RegExp): boolean {
  return (param.decorators ?? []).some((decorator) => {
    const expression = decorator.expression as Node;
    const callee = expression.type === 'CallExpression' ? expression.callee : expression;
    return isIdentifier(callee) && names.test(callee.name);
  });
}

function isResponse(param: Node, source: Source): boolean {
  if (isIdentifier(param) && RESPONSE_NAME.test(param.name)) return true;
  const type = param.typeAnnotation;
  return type !== undefined && /\bResponse\b/.test(source.getText(type));
}

const EXPRESS_TYPE = /^express\.(Request|RequestHandler|ErrorRequestHandler)$/;

function isExpressType(node: Node | null | undefined, source: Source): boolean {
  const annotation = node?.typeAnnotation?.typeAnnotation;
  const name = annotation?.type === 'TSTypeReference' ? annotation.typeName : undefined;
  if (name === undefined) return false;
  if (name.type !== 'TSQualifiedName') return EXPRESS_TYPE.test(originText(name, source) ?? '');
  const right = name.right?.name ?? '';
  return EXPRESS_TYPE.test(`${originText(name.left, source) ?? ''}.${right}`);
}
