import { literalOf } from '../calls/outbound';
import { callsOf } from '../code/mounted';
import { keyName, type Node, type Source } from '../code/node';
import { rule } from '../rule';
import { bringsIn, migration, type Migrated } from './timeout-migration';

const NAME = 'express-timeout-handler';

/** Reports express-timeout-handler, whose time is the socket's idle time. */
export const noExpressTimeoutHandler = rule(
  {
    description: 'hangup() and deadline() take the place of express-timeout-handler',
    messages: {
      idle: "express-timeout-handler measures the socket's silence, stops no work, and may hit the next request: use `hangup({ deadline })`.",
      migrate:
        'Use `hangup()` and `deadline()`. What `onTimeout` answered, `gatewayErrorHandler({ render })` answers.',
    },
  },
  (kit) => ({
    'Program:exit': () => {
      const { source } = kit;
      const statement = bringsIn(NAME, source);
      if (statement === undefined) return;
      const handlers = callsOf(`${NAME}.handler`, source).map((call) => migrated(call, source));
      const sets = callsOf(`${NAME}.set`, source).map((call) => duration(call, call.arguments?.[0], source));
      const calls = [...handlers, ...sets];
      const seen = calls.filter((each) => each !== undefined);
      const edits = seen.length === calls.length ? migration(statement, NAME, seen, kit) : undefined;
      kit.report({
        node: statement,
        messageId: 'idle',
        suggest: edits ? [{ messageId: 'migrate', edits }] : [],
      });
    },
  }),
);

function migrated(call: Node, source: Source): Migrated | undefined {
  const [given] = call.arguments ?? [];
  const options = given && literalOf(given, source);
  const timeout = options?.properties?.find((each) => keyName(each) === 'timeout');
  return duration(call, timeout?.value as Node | undefined, source);
}

function duration(call: Node, ms: Node | undefined, source: Source): Migrated | undefined {
  return ms === undefined ? undefined : { call, ms: source.getText(ms) };
}
