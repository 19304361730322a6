import { imported } from '../code/imports';
import {
  isFunction,
  isIdentifier,
  isMethodCall,
  keyName,
  statementsOf,
  stringOf,
  unwrap,
  walk,
  type Node,
} from '../code/node';
import { originText, variableOf } from '../code/origin';
import { rule, type RuleKit } from '../rule';

/** Reports `server.close()` on SIGTERM: it waits for idle connections, and loses requests that are on their way. */
export const drainOnSigterm = rule(
  {
    description: 'Servers are drained on SIGTERM, not only closed',
    messages: {
      close:
        '`{{server}}.close()` stops to listen while the load balancer still sends requests, and ends none that hang: use `drainable({{server}})`.',
      drain: 'Use `drainable({{server}})`.',
    },
  },
  (kit) => ({
    CallExpression: (call) => {
      const signal = stringOf(call.arguments?.[0]);
      if (originText(call.callee, kit.source)?.match(/^(global\.)?process\.(on|once)$/) == null) return;
      if (signal !== 'SIGTERM' && signal !== 'SIGINT') return;
      const listener = listenerOf(call.arguments?.[1], kit);
      const close = listener && closeIn(listener, kit);
      if (close !== undefined && listener !== undefined) judge(call, listener, close, kit);
    },
  }),
);

function listenerOf(node: Node | undefined, { source }: RuleKit): Node | undefined {
  if (isFunction(node)) return node;
  const def = isIdentifier(node) ? variableOf(node, source)?.defs[0] : undefined;
  const found = def?.type === 'FunctionName' ? def.node : def?.node.init;
  return isFunction(found) ? found : undefined;
}

/** `server.close(…)` in a listener, where the server is made by `listen()`, `createServer()`, or is called one. */
function closeIn(listener: Node, { source }: RuleKit): Node | undefined {
  let found: Node | undefined;
  walk(listener, source, (node) => {
    if (!isMethodCall(node, /^close$/) || node.callee === undefined) return;
    const receiver = unwrap(node.callee).object;
    const object = receiver && unwrap(receiver);
    const made = originText(object, source) ?? '';
    const isServer =
      /\.(listen|createServer)\(\)$/.test(made) || /^(http|https)?server$/i.test(object?.name ?? '');
    if (isServer && isIdentifier(object)) found ??= node;
  });
  return found;
}

function judge(call: Node, listener: Node, close: Node, kit: RuleKit): void {
  const { source, settings, report } = kit;
  const server = /^\w+/.exec(source.getText(close.callee))?.[0] ?? 'server';
  if (/\bdrainable\b/.test(source.text)) return;
  const data = { server };
  const statement = call.parent;
  const isLone = statement?.type === 'ExpressionStatement' && call.arguments?.[1] === listener;
  if (!isLone || stringOf(call.arguments[0]) !== 'SIGTERM' || !doesNothingElse(listener, close)) {
    report({ node: call, messageId: 'close', data });
    return;
  }
  const { local, edits } = imported('drainable', source, settings.importsAreAdded);
  const replaced = { range: call.range, text: `${local}(${server})` };
  report({
    node: call,
    messageId: 'close',
    data,
    suggest: [{ messageId: 'drain', data, edits: [...edits, replaced] }],
  });
}

/** Whether a listener only logs, closes the server and exits. */
function doesNothingElse(listener: Node, close: Node): boolean {
  const body = listener.body as Node;
  const all = body.type === 'BlockStatement' ? statementsOf(listener) : [body];
  return all.every((each) => isLogOrExit(each, close));
}

function isLogOrExit(statement: Node, close: Node): boolean {
  const expression = (statement.type === 'ExpressionStatement' ? statement.expression : statement) as Node;
  const call = expression.type === 'AwaitExpression' ? (expression.argument as Node) : expression;
  if (call === close) {
    const [callback] = close.arguments ?? [];
    return callback === undefined || (isFunction(callback) && doesNothingElse(callback, close));
  }
  const callee = call.type === 'CallExpression' && call.callee ? unwrap(call.callee) : undefined;
  const name = keyName(callee) ?? '';
  return /^(log|info|warn|debug|error|exit)$/.test(name);
}
