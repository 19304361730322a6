import { imported, styleOf } from '../code/imports';
import { callsOfOurs } from '../code/mounted';
import { isWithin, type Node, type Source } from '../code/node';
import { lineAfter, lineBefore } from '../code/remove';
import { appsOf, isNest, useLine, type App } from '../express/app';
import { isErrorHandler, registersErrors, takesAll } from '../express/error-handlers';
import { mountsErrorsHere } from '../express/handed-app';
import { endOfSetup, isSetUp } from '../express/set-up';
import { rule, type RuleKit } from '../rule';
import { judgeNest } from './nest-filter';

/** Reports an app that answers the faults of upstreams with 500, because nothing tells them from other errors. */
export const mountGatewayErrorHandler = rule(
  {
    description:
      'gatewayErrorHandler() is mounted behind all routes, and before the error handlers of the app',
    messages: {
      missing:
        '`{{app}}` has no `gatewayErrorHandler()`: a reset or a timeout of an upstream is answered 500.',
      byHand:
        '`{{app}}` has no `gatewayErrorHandler()`: a reset or a timeout of an upstream is answered 500. Mount it by hand {{where}}.',
      early:
        '`gatewayErrorHandler()` stands before routes of `{{app}}`, whose errors it does not see: mount it after them.',
      late: '`gatewayErrorHandler()` stands behind an error handler of `{{app}}`, which may have answered: mount it before.',
      nest: '`{{app}}` has no filter that hands faults to `gatewayErrorHandler()`: Nest answers a reset or a timeout of an upstream with 500.',
      mount: 'Mount `gatewayErrorHandler()` {{place}}.',
      filter: 'Add a filter that asks `gatewayErrorHandler()` first, and leaves the rest to Nest.',
    },
  },
  (kit) => ({
    'Program:exit': () => {
      for (const app of appsOf(kit.source))
        if (isNest(app, kit.source)) judgeNest(app, kit);
        else if (!app.isPart && kit.settings.isPart !== true) judge(app, kit);
    },
  }),
);

function judge(app: App, kit: RuleKit): void {
  const { source, settings, report } = kit;
  const data = { app: app.name, place: '' };
  const mounted = callsOfOurs('gatewayErrorHandler', source);
  const at = app.registrations.findIndex(({ call }) => mounted.some((each) => isWithin(each, call)));
  if (at !== -1) {
    judgePlace(app, at, kit);
    return;
  }
  // A function that the app is passed to may mount it.
  if (mounted.length > 0 || !isSetUp(app, source)) return;
  const end = endOfSetup(app, source, mountsErrorsHere(source, kit.project, kit.files.mountsErrors));
  if ('byHand' in end) {
    report({ node: app.call, messageId: 'byHand', data: { ...data, where: end.byHand } });
    return;
  }
  const { local, edits } = imported(
    'gatewayErrorHandler',
    source,
    settings.importsAreAdded,
    app.made.range[1],
  );
  const line = useLine(app, `${local}()`, styleOf(source).end);
  const place = end.side === 'after' ? 'last' : "before the app's own error handlers";
  const insert = (end.side === 'after' ? lineAfter : lineBefore)(end.statement, line, source);
  const suggest = [{ messageId: 'mount', data: { ...data, place }, edits: [...edits, insert] }];
  report({ node: app.call, messageId: 'missing', data, suggest });
}

function judgePlace(app: App, at: number, { source, report }: RuleKit): void {
  const own = app.registrations[at];
  const data = { app: app.name };
  if (own === undefined) return;
  const isBehindAnswer = app.registrations
    .slice(0, at)
    .some(
      ({ method, handlers }) =>
        method === 'use' &&
        handlers.length > 0 &&
        handlers.every((each) => isErrorHandler(each, source)) &&
        handlers.some((each) => answers(each, source)),
    );
  // In a class the methods do not have to be called in the order of the text.
  if (app.name.startsWith('this.')) return;
  if (isBehindAnswer) report({ node: own.call, messageId: 'late', data });
  else if (app.registrations.slice(at + 1).some((each) => !registersErrors(each, source) && !takesAll(each)))
    report({ node: own.call, messageId: 'early', data });
}

/** Whether an error handler answers. One that only logs and calls `next(err)` may come before ours. */
function answers(handler: Node, source: Source): boolean {
  const res = handler.params?.[2]?.name;
  if (res === undefined) return false;
  const answer = new RegExp(`\\b${res}\\s*\\.\\s*(json|send|status|end|render|sendStatus)`);
  return answer.test(source.getText(handler));
}
