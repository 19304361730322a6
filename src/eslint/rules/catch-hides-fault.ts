import { eol, indentOf, type Edit } from '../calls/add-signal';
import { answersIn } from '../calls/answers';
import { doesMoreThanAnswer } from '../calls/failures';
import { outboundCall } from '../calls/outbound';
import { imported, isTaken, styleOf } from '../code/imports';
import { isFunction, isIdentifier, numberOf, statementsOf, walk, type Node } from '../code/node';
import { originOf } from '../code/origin';
import { placeOf, requestName, type Place } from '../express/handler-around';
import { rule, type RuleKit } from '../rule';

/** Reports a `catch` that answers 500, or a success, whatever the upstream's fault was. */
export const catchHidesFault = rule(
  {
    description: 'A catch in a handler lets faults of upstreams through to gatewayErrorHandler()',
    messages: {
      hides:
        'This catch answers {{status}} for a reset or a timeout of the upstream, where 502 or 504 is right.',
      hidesAs: 'This catch answers {{status}} for a reset or a timeout of the upstream: is that meant?',
      pass: 'Hand faults of upstreams to `{{to}}`.',
      consider: 'Hand faults of upstreams to `{{to}}`.',
    },
  },
  (kit) => ({
    CatchClause: (clause) => {
      const tried = clause.parent?.block;
      const body = clause.body as Node;
      if (tried !== undefined && waits(tried, kit)) judge(clause, clause.param, body, kit);
    },
    CallExpression: (call) => {
      const isCatch = call.callee?.type === 'MemberExpression' && call.callee.property?.name === 'catch';
      const [listener] = call.arguments ?? [];
      const object = call.callee?.object;
      if (!isCatch || !isFunction(listener) || object === undefined || !waits(object, kit)) return;
      const body = listener.body as Node;
      if (body.type === 'BlockStatement') judge(call, listener.params[0], body, kit);
    },
  }),
);

/** Whether a block waits for an upstream: by a call that we know, or by a function of another file that may make one. */
function waits(tried: Node, { source, files }: RuleKit): boolean {
  let found = false;
  walk(tried, source, (node) => {
    if (node.type !== 'CallExpression') return !found;
    const origin = originOf(node.callee, source);
    const isService = origin?.from.startsWith('.') === true && !STORES.test(origin.from);
    const isAwaited = node.parent?.type === 'AwaitExpression';
    if ((isService && isAwaited) || outboundCall(node, source, files) !== undefined) found = true;
    return !found;
  });
  return found;
}

/** Names of files that use the app's own database or the disk. */
const STORES = /model|schema|entit|repositor|dao|prisma|database|mongo|redis|sequelize|knex|[/](db|fs|file)/i;

function judge(clause: Node, param: Node | null | undefined, body: Node, kit: RuleKit): void {
  const { source, settings, report } = kit;
  const [first] = statementsOf({ ...clause, body });
  const place = first && placeOf(first, kit.handlers());
  const req = first && place && requestName(first, place.handler, source);
  if (first === undefined || place === undefined || req === undefined || place.handler.evidence !== 'certain')
    return;
  const status = statusIn(body, place.handler.res?.name, kit);
  const isTold = /classif(y|yGateway)Error/.test(source.getText(body));
  const to = exitOf(clause, place, kit);
  if (status === undefined || isTold || isRethrown(body, to)) return;
  const data = { status, to: to?.text ?? 'next' };
  const before = statementBeforeAnswer(body, place, kit);
  if (to === undefined || before === undefined || (param != null && !isIdentifier(param))) {
    report({ node: clause, messageId: 'hides', data });
    return;
  }
  const error = param?.name ?? ERROR_NAMES.find((name) => !isTaken(name, source, body)) ?? 'fault';
  const { local, edits } = imported('classifyError', source, settings.importsAreAdded);
  const line = `if (${local}(${error}, ${req})) ${to.text.replace('error', error)}${styleOf(source).end}`;
  const isLined = before.loc.start.line > body.loc.start.line;
  const at = before.range[0];
  const gap = isLined ? `${eol(source)}${indentOf(before, source)}` : ' ';
  const isEnded = isLined || line.endsWith(';');
  const insert: Edit[] = [
    ...edits,
    ...to.edits,
    { range: [at, at], text: `${line}${isEnded ? '' : ';'}${gap}` },
  ];
  if (param == null) insert.push({ range: [body.range[0], body.range[0]], text: `(${error}) ` });
  // A success in a catch may be an intended fallback.
  const [messageId, suggestion] = status === '200' ? ['hidesAs', 'consider'] : ['hides', 'pass'];
  report({ node: clause, messageId, data, suggest: [{ messageId: suggestion, data, edits: insert }] });
}

/** Names for a caught error that has none, in the order in which they are tried. */
const ERROR_NAMES = ['error', 'err', 'caught'];

/**
 * The statement of a catch before which a fault leaves it: the first, or where it does more than log and answer, the one that
 * answers. `undefined` where a fault would miss some of that work.
 */
function statementBeforeAnswer(body: Node, { handler }: Place, { source }: RuleKit): Node | undefined {
  const within = { fn: handler.fn, res: handler.res?.name, next: handler.next?.name };
  const statements = statementsOf({ body } as unknown as Node);
  const works = statements.map((each) => doesMoreThanAnswer(each, within, source));
  if (!works.includes(true)) return statements[0];
  const answer = statements.findIndex((each) => answersIn({ ...within, fn: each }, source).length > 0);
  return works.includes(true, answer) ? undefined : statements[answer];
}

/** The status that a block answers for every failure; `undefined` if it answers none, or itself answers 502 and 504. */
function statusIn(body: Node, res: string | undefined, { source }: RuleKit): string | undefined {
  const found: string[] = [];
  walk(body, source, (node) => {
    const callee = node.type === 'CallExpression' ? node.callee : undefined;
    const object = callee?.type === 'MemberExpression' ? callee.object : undefined;
    if (object === undefined || res === undefined || source.getText(object).split(/[.(\s]/)[0] !== res)
      return;
    const name = callee?.property?.name ?? '';
    if (/^(status|sendStatus)$/.test(name))
      found.push(String(numberOf(node.arguments?.[0]) ?? 'a status of its own'));
    else if (/^(json|send|end|render)$/.test(name) && isIdentifier(object, res)) found.push('200');
  });
  return found.find((status) => status !== '502' && status !== '504');
}

interface Exit {
  readonly text: string;
  readonly edits: readonly Edit[];
}

/**
 * How an error leaves a handler: by `next(error)`, for which the parameter `next` is added if it is missing, or by `throw`, if
 * something handles that. `undefined` where neither is seen to work.
 */
function exitOf(clause: Node, { handler, inner }: Place, kit: RuleKit): Exit | undefined {
  const { source, project } = kit;
  const { res, fn, next } = handler;
  const type = fn.returnType && source.getText(fn.returnType);
  const mayReturn = type === undefined || /void|any|unknown/.test(type);
  if (isIdentifier(next) && mayReturn) return { text: `return ${next.name}(error)`, edits: [] };
  const isGuarded = handler.wrapped || project.express === undefined || project.express > 4;
  // In a callback, a throw reaches the handler's promise only if the handler awaits or returns the chain.
  const isWaitedFor = /^(AwaitExpression|ReturnStatement)$/.test(clause.parent?.type ?? '');
  const isHeard = clause.type === 'CatchClause' ? inner.length === 0 : inner.length === 1 && isWaitedFor;
  if (isGuarded && fn.async === true && isHeard) return { text: 'throw error', edits: [] };
  const isLast = res !== undefined && fn.params?.at(-1) === res;
  if (!isLast || !mayReturn || !isCalledByExpress(handler, kit) || /\bnext\b/.test(source.getText(fn)))
    return undefined;
  const typed = res.typeAnnotation === undefined ? ', next' : `, next: import('express').NextFunction`;
  return { text: 'return next(error)', edits: [{ range: [res.range[1], res.range[1]], text: typed }] };
}

const CONTROLLERS = /controller|route|handler|endpoint|resource/i;

/** Whether Express itself calls a function, and so passes `next`. Other code may pass `req` and `res` only. */
function isCalledByExpress({ registered }: Place['handler'], { filename }: RuleKit): boolean {
  return registered || CONTROLLERS.test(filename);
}

function isRethrown(body: Node, to: Exit | undefined): boolean {
  return (
    to !== undefined && statementsOf({ type: 'X', body } as unknown as Node).at(0)?.type === 'ThrowStatement'
  );
}
