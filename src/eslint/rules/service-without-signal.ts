import { addSignal, signalState } from '../calls/add-signal';
import { whyUncertainIn } from '../calls/certainty';
import { outboundCall } from '../calls/outbound';
import { imported } from '../code/imports';
import { around, isFunction, isIdentifier, type Node } from '../code/node';
import { variableOf } from '../code/origin';
import { placeOf, requestName } from '../express/handler-around';
import type { Handler } from '../express/handlers';
import { rule, type RuleKit } from '../rule';

/** Reports a call in a function that handlers call. The function has no `req`, or gets it as a parameter. */
export const serviceWithoutSignal = rule(
  {
    description: 'Calls in functions that handlers use end with the request too',
    messages: {
      helper: '{{name}} may outlive the client of a handler: give it `{{signal}}`.',
      service:
        '{{name}} may outlive the client of a handler: `currentSignal()` ends it, with `hangup({ context: true })`.',
      caution: '{{name}} may outlive the client of a handler. Think before you end it: {{why}}.',
      add: 'Give it `{{signal}}`.',
    },
  },
  (kit) => {
    if (!kit.project.has('express') && !kit.project.has('@nestjs/platform-express')) return {};
    if (isBrowser(kit)) return {};
    return {
      CallExpression: (call) => {
        if (placeOf(call, kit.handlers()) === undefined) judge(call, kit);
      },
    };
  },
);

/** Many repositories hold code for browsers beside their server. */
function isBrowser({ source, filename }: RuleKit): boolean {
  if (/\.(jsx|tsx|vue)$/.test(filename)) return true;
  return /\bfrom ['"](react|vue|@angular|svelte|@reduxjs|axios-mock)|\b(window|document|localStorage)\s*[.[]/.test(
    source.text,
  );
}

function judge(call: Node, kit: RuleKit): void {
  const { source, settings, files, report } = kit;
  const outbound = outboundCall(call, source, files);
  const fn = around(call, isFunction);
  if (outbound === undefined || fn === undefined) return;
  if (signalState(outbound, source).kind !== 'none') return;
  const { name } = outbound;
  const why = whyUncertainIn(outbound, { fn }, source);
  const own = requestOf(fn, call, kit);
  if (own !== undefined) {
    const signal = `${own.name}.signal`;
    const edits = addSignal(outbound, signal, source);
    const data = { name, signal };
    const isSure = edits !== undefined && own.isSure && why === undefined && kit.project.express !== 4;
    const suggest = edits && !isSure ? [{ messageId: 'add', data, edits }] : [];
    report({ node: call, messageId: 'helper', data, fix: isSure ? edits : undefined, suggest });
    return;
  }
  const { local, edits: before } = imported('currentSignal', source, settings.importsAreAdded);
  const signal = `${local}()`;
  const edits = addSignal(outbound, signal, source);
  const data = { name, signal, why: why ?? '' };
  const suggest = edits ? [{ messageId: 'add', data, edits: [...before, ...edits] }] : [];
  report({ node: call, messageId: why === undefined ? 'service' : 'caution', data, suggest });
}

/**
 * The parameter for which handlers of this file pass their request to a helper. It is certain if there is no other kind of
 * call.
 */
function requestOf(fn: Node, call: Node, kit: RuleKit): { name: string; isSure: boolean } | undefined {
  const { source } = kit;
  const name = isIdentifier(fn.id)
    ? fn.id
    : fn.parent?.type === 'VariableDeclarator'
      ? fn.parent.id
      : undefined;
  const variable = isIdentifier(name) ? variableOf(name, source) : undefined;
  const uses = variable?.references.filter((reference) => reference.isRead()) ?? [];
  const places = uses.map(({ identifier }) => placeOfRequest(identifier, kit));
  const at = places.find((each) => each !== undefined);
  const param = at === undefined ? undefined : fn.params?.[at];
  if (!isIdentifier(param) || !seenFrom(call, param.name, fn, kit)) return undefined;
  const isExported =
    /^Export/.test(fn.parent?.type ?? '') || /^Export/.test(fn.parent?.parent?.parent?.type ?? '');
  return { name: param.name, isSure: !isExported && places.every((each) => each === at) };
}

/** The index of the argument by which a handler passes its request on. */
function placeOfRequest(identifier: Node, kit: RuleKit): number | undefined {
  const user = identifier.parent;
  const place = user?.type === 'CallExpression' ? placeOf(user, kit.handlers()) : undefined;
  if (user == null || place === undefined || user.callee !== identifier) return undefined;
  const at = (user.arguments ?? []).findIndex((each) => isHandlersRequest(each, user, place.handler, kit));
  return at === -1 ? undefined : at;
}

function isHandlersRequest(argument: Node, user: Node, handler: Handler, { source }: RuleKit): boolean {
  return isIdentifier(argument) && argument.name === requestName(user, handler, source);
}

function seenFrom(call: Node, name: string, fn: Node, { source }: RuleKit): boolean {
  const def = variableOf({ ...call, type: 'Identifier', name }, source)?.defs[0];
  return def?.type === 'Parameter' && def.node === fn;
}
