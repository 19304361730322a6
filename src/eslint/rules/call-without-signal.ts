import { addSignal, signalState, type Edit } from '../calls/add-signal';
import { whyUncertain } from '../calls/certainty';
import { outboundCall, type OutboundCall } from '../calls/outbound';
import { isIdentifier, keyName, type Node } from '../code/node';
import { isTaken } from '../code/imports';
import { variableOf } from '../code/origin';
import { placeOf, requestName, type Place } from '../express/handler-around';
import { rule, type RuleKit } from '../rule';

/** Reports a handler's call that goes on after the request, because it does not have the request's signal. */
export const callWithoutSignal = rule(
  {
    description: "Calls in handlers are given the request's signal",
    messages: {
      missing: '{{name}} goes on after its client has left: give it `{{signal}}`.',
      uncertain: '{{name}} goes on after its client has left. Not repaired by itself: {{why}}.',
      old: '{{name}} goes on after its client has left; {{since}} or later takes a signal.',
      limit: '{{name}} has a limit of its own and does not end with its request: join both.',
      add: 'Give it `{{signal}}`.',
    },
  },
  (kit) => ({
    CallExpression: (call) => {
      const outbound = outboundCall(call, kit.source, kit.files);
      const place = outbound && placeOf(call, kit.handlers());
      if (outbound !== undefined && place !== undefined) judge(outbound, place, kit);
    },
  }),
);

function judge(outbound: OutboundCall, place: Place, kit: RuleKit): void {
  const { source, project } = kit;
  const { call, name, shape } = outbound;
  const state = signalState(outbound, source);
  if (state.kind === 'given') return;
  const since = shape.since && tooOld(shape.since, kit);
  if (since !== undefined) {
    kit.report({ node: call, messageId: 'old', data: { name, since } });
    return;
  }
  const { signal, edits: before } = signalOf(call, place, kit);
  const edits =
    signal === undefined
      ? undefined
      : state.kind === 'limit'
        ? [{ range: state.value.range, text: joined(signal, state.value, kit) }]
        : addSignal(outbound, signal, source);
  const whole = edits && [...before, ...edits];
  const why =
    whole === undefined
      ? 'its options, or the name of the request, are not seen here'
      : (mayBeRequestObject(outbound, kit) ?? whyUncertain(outbound, place, source, project));
  const data = { name, signal: signal ?? 'req.signal', why: why ?? '' };
  const messageId = why !== undefined ? 'uncertain' : state.kind === 'limit' ? 'limit' : 'missing';
  const suggest = why !== undefined && whole ? [{ messageId: 'add', data, edits: whole }] : [];
  kit.report({ node: call, messageId, data, fix: why === undefined ? whole : undefined, suggest });
}

function joined(signal: string, limit: Node, { source }: RuleKit): string {
  return `AbortSignal.any([${signal}, ${source.getText(limit)}])`;
}

function tooOld([name, major, minor]: readonly [string, number, number], kit: RuleKit): string | undefined {
  const version = kit.project.version(name);
  if (version === undefined) return undefined;
  const isOld = version[0] < major || (version[0] === major && version[1] < minor);
  return isOld ? `${name} ${major}.${minor}` : undefined;
}

/** `fetch(request)`: a Request may have a signal of its own, which an option would replace. */
function mayBeRequestObject({ call, shape }: OutboundCall, { source }: RuleKit): string | undefined {
  const [first] = call.arguments ?? [];
  const isRequest =
    first?.type === 'NewExpression'
      ? isIdentifier(first.callee, 'Request')
      : isIdentifier(first) && /req(uest)?$/i.test(first.name);
  return shape.options === 1 && isRequest && /fetch$/.test(source.getText(call.callee))
    ? 'a Request may have a signal of its own'
    : undefined;
}

/** `req.signal`, or `signal` taken from the pattern that takes the request apart. */
function signalOf(
  call: Node,
  { handler }: Place,
  { source }: RuleKit,
): { signal: string | undefined; edits: readonly Edit[] } {
  const name = requestName(call, handler, source);
  if (name !== undefined) return { signal: `${name}.signal`, edits: [] };
  const pattern = handler.req;
  if (pattern.type !== 'ObjectPattern') return { signal: undefined, edits: [] };
  const properties = pattern.properties ?? [];
  const own = properties.find((each) => keyName(each) === 'signal');
  if (own !== undefined) return { signal: constantName(own.value as Node, call, source), edits: [] };
  const last = properties.at(-1);
  if (last === undefined || last.type === 'RestElement' || isTaken('signal', source, handler.fn))
    return { signal: undefined, edits: [] };
  return { signal: 'signal', edits: [{ range: [last.range[1], last.range[1]], text: ', signal' }] };
}

/** The name that a pattern gives the signal, if the call sees that name and nothing assigns to it. */
function constantName(value: Node, call: Node, source: RuleKit['source']): string | undefined {
  const variable = isIdentifier(value) ? variableOf(value, source) : undefined;
  const isSeen =
    variable !== undefined &&
    variableOf({ ...call, type: 'Identifier', name: variable.name }, source) === variable;
  return isSeen && !variable.references.some((each) => each.isWrite()) ? variable.name : undefined;
}
