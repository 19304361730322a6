import { literalOf } from '../calls/outbound';
import { keyName, numberOf, type Node } from '../code/node';
import { originText } from '../code/origin';
import { rule, type RuleKit } from '../rule';

/** By agent: the option that says how long an idle connection is kept, in milliseconds. */
const AGENTS: readonly (readonly [origin: RegExp, option: string, needsKeepAlive: boolean])[] = [
  [/^https?\.Agent\.new\(\)$/, 'timeout', true],
  [/^agentkeepalive(\.(HttpsAgent|HttpAgent))?\.new\(\)$/, 'freeSocketTimeout', false],
  [/^undici\.(Agent|Pool|Client)\.new\(\)$/, 'keepAliveTimeout', false],
];

/** Node's own servers close an idle connection after 5 s. */
const SERVER_IDLE_MS = 5_000;

/** Reports an agent that keeps idle connections longer than the server does: its next request may use a closed one. */
export const keepAliveAgent = rule(
  {
    description: 'Keep-alive agents let idle connections go before the server does',
    schema: [
      {
        type: 'object',
        properties: { serverIdleMs: { type: 'integer', minimum: 1 } },
        additionalProperties: false,
      },
    ],
    messages: {
      longer:
        'This agent keeps idle connections for {{idle}} ms, the server closes them after {{server}} ms: the request between is reset.',
      forever:
        'This agent keeps idle connections until the server closes them, after {{server}} ms: a request in that moment is reset.',
      shorten: 'Let idle connections go after {{ms}} ms.',
    },
  },
  (kit) => ({
    NewExpression: (made) => {
      const text = originText(made, kit.source) ?? '';
      const agent = AGENTS.find(([origin]) => origin.test(text));
      if (agent !== undefined) judge(made, agent[1], agent[2], kit);
    },
  }),
);

function judge(made: Node, option: string, needsKeepAlive: boolean, kit: RuleKit): void {
  const { source, options, report } = kit;
  const given = made.arguments ?? [];
  const settings = given.at(-1);
  const object = settings && literalOf(settings, source);
  if (object === undefined || object.properties?.some(({ type }) => type === 'SpreadElement') === true)
    return;
  const find = (name: string): Node | undefined =>
    object.properties?.find((each) => keyName(each) === name)?.value as Node | undefined;
  if (needsKeepAlive && find('keepAlive')?.value !== true) return;
  const limit = find(option);
  const serverMs = typeof options.serverIdleMs === 'number' ? options.serverIdleMs : SERVER_IDLE_MS;
  const idle = numberOf(limit);
  const [isUnlimited, isUnseen] = [limit === undefined, limit !== undefined && idle === undefined];
  if (isUnseen || (idle !== undefined && idle < serverMs) || (isUnlimited && !needsKeepAlive)) return;
  const ms = String(serverMs - Math.min(1_000, serverMs / 5));
  const data = { idle: String(idle), server: String(serverMs), ms };
  const last = object.properties?.at(-1);
  const edit =
    limit === undefined
      ? last && { range: [last.range[1], last.range[1]] as const, text: `, ${option}: ${ms}` }
      : { range: limit.range, text: ms };
  report({
    node: made,
    messageId: isUnlimited ? 'forever' : 'longer',
    data,
    suggest: edit ? [{ messageId: 'shorten', data, edits: [edit] }] : [],
  });
}
