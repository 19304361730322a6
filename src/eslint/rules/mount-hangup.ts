import { imported, styleOf } from '../code/imports';
import { callsOfOurs } from '../code/mounted';
import { isWithin, type Node } from '../code/node';
import { removeStatement } from '../code/remove';
import { appsOf, isNest, lineAtFront, useLine, type App } from '../express/app';
import { rule, type RuleKit } from '../rule';

/** Reports an app without `hangup()`, or with it behind middleware that may answer or wait. */
export const mountHangup = rule(
  {
    description: 'hangup() is mounted, and first',
    schema: [
      {
        type: 'object',
        properties: { deadline: { type: 'integer', minimum: 1 }, context: { type: 'boolean' } },
        additionalProperties: false,
      },
    ],
    messages: {
      missing: '`{{app}}` has no `hangup()`: its requests have no signal and no deadline.',
      late: '`hangup()` stands behind other middleware of `{{app}}`, whose work it does not end: mount it first.',
      mount: 'Mount `hangup()` first.',
      move: 'Move it to the front.',
    },
  },
  (kit) => ({
    'Program:exit': () => {
      for (const app of appsOf(kit.source)) if (!app.isPart && kit.settings.isPart !== true) judge(app, kit);
    },
  }),
);

function judge(app: App, kit: RuleKit): void {
  const { source, settings, options, report } = kit;
  const data = { app: app.name };
  const mounted = callsOfOurs('hangup', source);
  const at = app.registrations.findIndex(({ call }) => mounted.some((each) => isWithin(each, call)));
  if (at === 0) return;
  if (at === -1) {
    if (!isServer(app, kit) || replacesTimeout(source.text) || isMountedByName(app, mounted, kit)) return;
    const { local, edits } = imported('hangup', source, settings.importsAreAdded, app.made.range[1]);
    const given = optionsText(options);
    const line = useLine(app, `${local}(${given})`, styleOf(source).end);
    const insert = lineAtFront(app, line, source);
    const suggest = insert ? [{ messageId: 'mount', data, edits: [...edits, insert] }] : [];
    report({ node: app.call, messageId: 'missing', data, suggest });
    return;
  }
  const late = app.registrations[at];
  const statement = late?.call.parent;
  const before = app.registrations.slice(0, at);
  // Routes alone, a health check for example, may come before it.
  if (late === undefined || before.every(({ method }) => method !== 'use')) return;
  const isLone = statement?.type === 'ExpressionStatement' && late.onApp && late.call.arguments?.length === 1;
  const insert = isLone ? lineAtFront(app, source.getText(statement), source) : undefined;
  const edits = isLone && insert ? [removeStatement(statement, source), insert] : undefined;
  report({
    node: late.call,
    messageId: 'late',
    data,
    suggest: edits ? [{ messageId: 'move', data, edits }] : [],
  });
}

function optionsText(options: RuleKit['options']): string {
  const given = [
    typeof options.deadline === 'number' ? `deadline: ${options.deadline}` : '',
    options.context === true ? 'context: true' : '',
  ].filter((each) => each !== '');
  return given.length === 0 ? '' : `{ ${given.join(', ')} }`;
}

/** Whether an app has routes or listens. An app that a test makes for a moment needs no `hangup()`. */
function isServer(app: App, { source }: RuleKit): boolean {
  return (
    app.registrations.length > 0 ||
    isNest(app, source) ||
    source.text.includes(`${app.name}.listen`) ||
    source.text.includes(`(${app.name}`)
  );
}

/** Whether the file calls `app.use(hangup())` on an app of that name, which may be another one. */
function isMountedByName({ name }: App, mounted: readonly Node[], { source }: RuleKit): boolean {
  return mounted.some(
    ({ parent }) => parent?.callee != null && source.getText(parent.callee) === `${name}.use`,
  );
}

/** The migration of connect-timeout or express-timeout-handler puts `hangup()` in its place. */
function replacesTimeout(text: string): boolean {
  return /['"](connect-timeout|express-timeout-handler)['"]/.test(text);
}
