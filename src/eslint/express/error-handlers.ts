import {
  isFunction,
  isIdentifier,
  keyName,
  parametersOf,
  stringOf,
  unwrap,
  type Node,
  type Source,
} from '../code/node';
import { valueOf } from '../code/origin';
import type { Registration } from './registration';

/** Whether a handler is an error handler, by its four parameters or by its name. */
export function isErrorHandler(handler: Node, source: Source): boolean {
  return isErrorHandlerBy(handler, (identifier) => valueOf(identifier, source));
}

/** The same, for a file of which only the values of its names are known. */
export function isErrorHandlerBy(handler: Node, valueNamed: (identifier: Node) => Node | undefined): boolean {
  const inner = unwrap(handler);
  const fn = isIdentifier(inner) ? valueNamed(inner) : inner;
  return isFunction(fn) ? parametersOf(fn).length === 4 : ERROR_HANDLER.test(nameOf(inner));
}

const ERROR_HANDLER =
  /(^|[._])(error|err|exception|on_?error)|error(s|handler|middleware|converter|logger)?$|errorhandl/i;
/** What a handler for paths that no route has is called. */
export const NOT_FOUND = /not_?-?found|404/i;

/** `middlewares.errorHandler` of `middlewares.errorHandler()`, `error-handler` of `require('./error-handler')`. */
function nameOf(node: Node): string {
  const inner = unwrap(node);
  if (inner.type === 'MemberExpression' && inner.object)
    return `${nameOf(inner.object)}.${keyName(inner) ?? ''}`;
  const { callee } = inner;
  if (callee === undefined) return inner.name ?? '';
  const path = isIdentifier(callee, 'require') ? stringOf(inner.arguments?.[0]) : undefined;
  return path?.replace(/^.*\//, '') ?? nameOf(callee);
}

/** `app.use(onError)`, also `app.use(onError, notFound)`. */
export function registersErrors({ method, handlers }: Registration, source: Source): boolean {
  const [first, ...others] = handlers;
  if (method !== 'use' || first === undefined || !isErrorHandler(first, source)) return false;
  return others.every((each) => isErrorHandler(each, source) || isFunction(each));
}

/** Whether a registration answers what no route has taken: `app.use((req, res) => …)`, `app.use(notFound)`, `app.all('*', …)`. */
export function takesAll({ method, call }: Registration): boolean {
  const [first, ...others] = call.arguments ?? [];
  const path = stringOf(first);
  const handlers = path === undefined && first !== undefined ? [first, ...others] : others;
  const isForAll =
    path === undefined ? method === 'use' : /^(use|all)$/.test(method) && /^\/?\{?\*/.test(path);
  return isForAll && handlers.length > 0 && handlers.every(isForRequests);
}

function isForRequests(handler: Node): boolean {
  return isFunction(handler) ? parametersOf(handler).length < 4 : NOT_FOUND.test(nameOf(handler));
}
