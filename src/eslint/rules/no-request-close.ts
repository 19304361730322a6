import { isIdentifier, keyName, stringOf, unwrap, walk, type Node } from '../code/node';
import { placeOf, requestName } from '../express/handler-around';
import { rule, type RuleKit } from '../rule';

const LISTENS = /^(on|once|addListener|prependListener)$/;

/** Reports `req.on('close')` where it is taken for the client's departure: it is not, since Node 16. */
export const noRequestClose = rule(
  {
    description: "req's close and aborted are not taken for the client's departure",
    messages: {
      close:
        '`{{name}}` emits `{{event}}` when the body has been read, or not at all; it does not say that the client left.',
      response:
        'Listen to `{{res}}`: its `close` comes when the response is over, by its end or by the client.',
      signal: 'Listen to `{{name}}.signal`: it aborts when the client leaves, and only then.',
    },
  },
  (kit) => ({
    CallExpression: (call) => {
      const callee = call.callee && unwrap(call.callee);
      const event = stringOf(call.arguments?.[0]);
      if (callee?.type !== 'MemberExpression' || !LISTENS.test(keyName(callee) ?? '')) return;
      if ((event === 'close' || event === 'aborted') && callee.object && !isSnippets(call, kit))
        judge(call, callee.object, event, kit);
    },
  }),
);

/** no-abort-snippet reports a listener that aborts a controller. */
function isSnippets(call: Node, { source }: RuleKit): boolean {
  let aborts = false;
  for (const argument of call.arguments ?? [])
    walk(argument, source, (node) => {
      if (node.type === 'MemberExpression' && keyName(node) === 'abort') aborts = true;
    });
  return aborts;
}

function judge(call: Node, receiver: Node, event: string, kit: RuleKit): void {
  const { source } = kit;
  const place = placeOf(call, kit.handlers());
  const name = place && requestName(call, place.handler, source);
  const request = unwrap(receiver);
  if (name === undefined || place === undefined || !isIdentifier(request, name)) return;
  const [first, callback] = call.arguments ?? [];
  const { res } = place.handler;
  if (first === undefined) return;
  const data = { name, event, res: res?.name ?? 'res' };
  const suggest = [];
  if (isIdentifier(res)) {
    const edits = [{ range: request.range, text: res.name }];
    if (event !== 'close') edits.push({ range: first.range, text: `'close'` });
    suggest.push({ messageId: 'response', data, edits });
  }
  if (callback !== undefined && call.callee !== undefined) {
    const edits = [
      { range: call.callee.range, text: `${name}.signal.addEventListener` },
      { range: first.range, text: `'abort'` },
    ];
    suggest.push({ messageId: 'signal', data, edits });
  }
  kit.report({ node: call, messageId: 'close', data, suggest });
}
