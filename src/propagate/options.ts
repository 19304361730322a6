import { checkNames, wrongType } from '../options';

/** Which methods: all, or those in a list. */
export type Methods = 'all' | readonly string[];

/**
 * The `propagate` option of `hangup()`: which calls end with their request, and which get its remaining time in a
 * header.
 */
export interface PropagateOptions {
  /** The methods whose calls end with the request. Default `['GET', 'HEAD', 'OPTIONS']`: those that are safe to give up. */
  methods?: Methods;
  /**
   * Other methods for some origins: `{ origin: 'https://api.openai.com', methods: 'all' }`. With an empty list no
   * call to that origin ends with the request.
   */
  calls?: readonly { origin: string; methods: Methods }[];
  /**
   * Calls to these origins get the header `X-Request-Timeout-Ms` with the request's remaining time, for any method.
   * Default none.
   */
  budget?: readonly string[];
}

/** RFC 9110, section 9.2.1, without TRACE, which no client sends. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

const WHERE = 'hangup(): option "propagate"';

type MethodTest = (method: string) => boolean;

/** The checked options, as rules for calls. */
export class CallRules {
  private readonly methods: MethodTest;
  private readonly byOrigin: ReadonlyMap<string, MethodTest>;
  private readonly budget: ReadonlySet<string>;
  /** Whether any rule depends on a call's origin: finding the origin costs more than the rest. */
  private readonly readsOrigin: boolean;

  /** @throws {TypeError} for options of the wrong shape. */
  constructor({ methods = SAFE_METHODS, calls = [], budget = [] }: PropagateOptions) {
    this.methods = methodTest(`${WHERE}, "methods"`, methods);
    this.byOrigin = callRules(calls);
    this.budget = new Set(
      listOf(`${WHERE}, "budget"`, budget).map((origin) => checkOrigin(`${WHERE}, "budget"`, origin)),
    );
    this.readsOrigin = this.byOrigin.size > 0 || this.budget.size > 0;
  }

  /** The rules for a call. `origin` is called only if a rule depends on it; an invalid origin matches no rule. */
  of(method: string, origin: () => string): { ends: boolean; tellsBudget: boolean } {
    if (!this.readsOrigin) return { ends: this.methods(method), tellsBudget: false };
    const name = originOf(origin()) ?? '';
    return { ends: (this.byOrigin.get(name) ?? this.methods)(method), tellsBudget: this.budget.has(name) };
  }
}

/** @throws {TypeError} for anything but a boolean or well-formed options. */
export function callRulesOf(propagate: boolean | PropagateOptions): CallRules | undefined {
  if (propagate === false) return undefined;
  if (propagate === true) return new CallRules({});
  if (typeof propagate !== 'object')
    throw wrongType(WHERE, propagate, 'true, false or an object { methods, calls, budget }');
  checkNames(WHERE, propagate, ['methods', 'calls', 'budget']);
  return new CallRules(propagate);
}

function callRules(calls: unknown): Map<string, MethodTest> {
  const where = `${WHERE}, "calls"`;
  const rules = new Map<string, MethodTest>();
  for (const call of listOf(where, calls)) {
    checkNames(where, call, ['origin', 'methods']);
    const { origin, methods } = call as Record<string, unknown>;
    const name = checkOrigin(`${where}, "origin"`, origin);
    if (rules.has(name)) throw new TypeError(`${where} names the origin '${name}' twice.`);
    rules.set(name, methodTest(`${where}, "methods"`, methods));
  }
  return rules;
}

function listOf(where: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw wrongType(where, value, 'a list');
  return value;
}

function methodTest(where: string, methods: unknown): MethodTest {
  if (methods === 'all') return () => true;
  const isList =
    Array.isArray(methods) &&
    methods.every((name) => typeof name === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name));
  if (!isList) throw wrongType(where, methods, `'all' or a list of methods, ['GET', 'POST']`);
  const names = new Set(methods.map((name) => String(name).toUpperCase()));
  return (method) => names.has(method);
}

function checkOrigin(where: string, value: unknown): string {
  const origin = typeof value === 'string' ? originOf(value) : undefined;
  // A path would be taken for a rule about it.
  const isBare = typeof value === 'string' && /^[a-z]+:\/\/[^/?#@]+\/?$/i.test(value);
  if (origin === undefined || !isBare)
    throw wrongType(where, value, `an origin: scheme, host and port, 'https://api.example.com'`);
  return origin;
}

/** `http://API.example.com:80/x` as `http://api.example.com`; `undefined` if it is no HTTP URL. */
function originOf(text: string): string | undefined {
  try {
    const { protocol, origin } = new URL(text);
    return protocol === 'http:' || protocol === 'https:' ? origin : undefined;
  } catch {
    return undefined;
  }
}
