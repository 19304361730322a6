import { keyName, numberOf, stringOf, type Node } from '../code/node';
import { callsOf } from '../code/mounted';
import { placeOf, requestName } from '../express/handler-around';
import { rule, type RuleKit } from '../rule';
import { bringsIn, grouped, migration } from './timeout-migration';

const NAME = 'connect-timeout';

/** Reports connect-timeout, which answers in time and stops no work. */
export const noConnectTimeout = rule(
  {
    description: 'hangup() and deadline() take the place of connect-timeout',
    messages: {
      stops: 'connect-timeout stops no work, and late answers throw: use `hangup({ deadline })`.',
      member: '`{{old}}` is of connect-timeout: use `{{now}}`.',
      migrate: 'Use `hangup()` and `deadline()`. What was 503 is then 504.',
    },
  },
  (kit) => ({
    MemberExpression: (member) => judgeMember(member, kit),
    'Program:exit': () => {
      const statement = bringsIn(NAME, kit.source);
      if (statement === undefined) return;
      const calls = callsOf(NAME, kit.source).map((call) => ({ call, ms: durationOf(call) }));
      const seen = calls.flatMap(({ call, ms }) => (ms === undefined ? [] : [{ call, ms }]));
      const edits = seen.length === calls.length ? migration(statement, NAME, seen, kit) : undefined;
      kit.report({
        node: statement,
        messageId: 'stops',
        suggest: edits ? [{ messageId: 'migrate', edits }] : [],
      });
    },
  }),
);

/** `timeout('5s')` in milliseconds, by the rules of the package `ms`; `undefined` where it is not written out. */
function durationOf({ arguments: given = [] }: Node): string | undefined {
  const [time, options] = given;
  if (options !== undefined) return undefined;
  const ms = numberOf(time) ?? parsed(stringOf(time) ?? '');
  return ms === undefined ? undefined : grouped(ms);
}

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

function parsed(text: string): number | undefined {
  const found =
    /^(\d+(?:\.\d+)?) *(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)?$/i.exec(
      text.trim(),
    );
  if (found === null) return undefined;
  const unit = found[2]?.toLowerCase() ?? 'ms';
  return (
    Number(found[1]) * (UNITS[unit.startsWith('mill') ? 'ms' : unit === 'ms' ? 'ms' : (unit[0] ?? '')] ?? 1)
  );
}

const MEMBERS = new Map([
  ['timedout', 'deadline.expired'],
  ['clearTimeout', 'deadline.clear'],
]);

function judgeMember(member: Node, kit: RuleKit): void {
  const now = MEMBERS.get(keyName(member) ?? '');
  const { object, property } = member;
  if (
    now === undefined ||
    object?.type !== 'Identifier' ||
    property === undefined ||
    member.computed === true
  )
    return;
  const place = placeOf(member, kit.handlers());
  const name = place ? requestName(member, place.handler, kit.source) : object.name;
  const isImported = bringsIn(NAME, kit.source) !== undefined || kit.project.has(NAME);
  if (object.name !== name || name === undefined || !isImported || !/re?q/i.test(name)) return;
  const data = { old: kit.source.getText(member), now: `${name}.${now}` };
  kit.report({
    node: member,
    messageId: 'member',
    data,
    suggest: [{ messageId: 'migrate', edits: [{ range: property.range, text: now }] }],
  });
}
