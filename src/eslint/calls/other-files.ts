import { CALL_SHAPES, type CallShape } from './call-shapes';
import { optionsHaveSignal } from './own-signal';
import { optionsParameter } from './wrappers';
import { filesBeside, textOf, type Loaded, type Parser } from '../code/loaded';
import { isFunction, unwrap, type Node, type Source } from '../code/node';
import type { Origin } from '../code/origin';
import { mountsErrorsBeside, type MountsErrorsThere } from '../express/handed-app';

/** What the rules can learn from the project's other files. */
export interface OtherFiles {
  /** How a call takes a signal if its callee is exported by another file: an axios instance, a function around fetch. */
  shapeOf: (origin: Origin) => CallShape | undefined;
  /** How an export of another file is written, if it is an async function with a handler's parameters. */
  isAsyncHandler: (origin: Origin) => 'declaration' | 'expression' | undefined;
  /** Whether an export of another file mounts error handlers on an app that it is given. */
  mountsErrors: MountsErrorsThere;
}

/** Reads other files with the parser of this one. Their code is not run. */
export function otherFiles(filename: string, parser: Parser, visitorKeys: Source['visitorKeys']): OtherFiles {
  const find = filesBeside(filename, parser);
  return {
    mountsErrors: mountsErrorsBeside(filename, parser, visitorKeys),
    shapeOf: (origin) => {
      const found = find(origin, 'call');
      if (found === undefined) return undefined;
      const { node, rest, loaded } = found;
      if (isFunction(node)) return rest === '' ? shapeOfFunction(node, loaded, visitorKeys) : undefined;
      const made = textOf(node, loaded);
      const shape = made === undefined ? undefined : shapeNamed(`${made}${rest}`);
      return shape && optionsHaveSignal(unwrap(node)) ? { ...shape, ownSignal: true } : shape;
    },
    isAsyncHandler: (origin) => {
      const found = find(origin, 'async');
      const fn = found?.rest === '' ? found.node : undefined;
      if (!isFunction(fn) || fn.async !== true || fn.params.length < 2 || fn.params.length > 3)
        return undefined;
      return fn.type === 'FunctionDeclaration' ? 'declaration' : 'expression';
    },
  };
}

function shapeNamed(text: string): CallShape | undefined {
  return CALL_SHAPES.find(([origin]) => origin.test(text))?.[1];
}

function shapeOfFunction(
  fn: Node,
  loaded: Loaded,
  visitorKeys: Source['visitorKeys'],
): CallShape | undefined {
  const options = optionsParameter(fn, { visitorKeys }, (callee) => shapeNamed(textOf(callee, loaded) ?? ''));
  return options === undefined ? undefined : { options, key: 'signal', changes: 'by-method' };
}
