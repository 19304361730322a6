import { classifyError } from 'express-hangup';
import fc from 'fast-check';
import type { IncomingMessage } from 'node:http';
import { errorChain } from '../../src/answer/classify/error-chain';
import { FAULT_CODES } from '../../src/answer/fault';

const FIELDS = [
  'name',
  'message',
  'code',
  'type',
  'status',
  'statusCode',
  'syscall',
  'isAxiosError',
  'response',
  'details',
  'metadata',
];

/** Values that mean something to the classifier, among any others. */
const telling = fc.constantFrom<unknown>(
  ...[
    'ECONNRESET',
    'ECONNABORTED',
    'ETIMEDOUT',
    'ENOENT',
    'Z_DATA_ERROR',
    'HPE_INVALID',
    'ERR_CANCELED',
    'UND_ERR_INFO',
  ],
  ...['AbortError', 'TimeoutError', 'HTTPParserError', 'FetchError', 'ReadError', 'AggregateError'],
  ...[
    'connect',
    'queryA',
    'spawnSync',
    'request.aborted',
    'request-timeout',
    'aborted',
    'terminated',
    'DEADLINE_EXCEEDED',
  ],
  ...['__proto__', 'constructor', 'toString', '', 1, 4, 14, 20, 23, 50, 404, 499, 504, NaN, true, null],
);
const value = fc.oneof(
  { weight: 3, arbitrary: telling },
  { weight: 1, arbitrary: fc.anything({ withBigInt: true, withNullPrototype: true, withTypedArray: true }) },
);
const fields = fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 5 });

interface Node {
  fields: Record<string, unknown>;
  /** How it comes: as it is, frozen, or as a Proxy that throws at every second read. */
  as: 'error' | 'frozen' | 'object' | 'nasty';
  cause: number;
  errors: number[];
}

const node = (size: number): fc.Arbitrary<Node> =>
  fc.record({
    fields,
    as: fc.constantFrom('error', 'error', 'frozen', 'object', 'nasty'),
    cause: fc.integer({ min: -1, max: size - 1 }),
    errors: fc.array(fc.integer({ min: 0, max: size - 1 }), { maxLength: 6 }),
  });

/** A graph of errors that point at one another by `cause` and `errors` as they please, circles included. */
const graph = fc
  .integer({ min: 1, max: 100 })
  .chain((size) => fc.array(node(size), { minLength: size, maxLength: size }));

function build(nodes: Node[]): object[] {
  const built = nodes.map(({ as, fields }): object =>
    Object.assign(as === 'object' ? {} : new Error(), fields),
  );
  nodes.forEach(({ cause, errors }, index) => {
    const error = built[index]! as { cause?: unknown; errors?: unknown };
    if (cause >= 0) error.cause = wrap(cause);
    if (errors.length > 0) error.errors = errors.map(wrap);
  });
  function wrap(index: number): object {
    return nodes[index]!.as === 'nasty' ? nasty(built[index]!) : built[index]!;
  }
  nodes.forEach(({ as }, index) => as === 'frozen' && Object.freeze(built[index]));
  return built;
}

function nasty(target: object): object {
  let reads = 0;
  return new Proxy(target, {
    get(target, key): unknown {
      if (reads++ % 2 === 1) throw new Error('not this time');
      return Reflect.get(target, key);
    },
  });
}

function expectSaneVerdict(thrown: unknown, req?: IncomingMessage): void {
  const fault = classifyError(thrown, req);
  if (fault === undefined) return;
  expect(FAULT_CODES).toContain(fault.code);
  expect(Object.is(fault.cause, thrown)).toBe(true);
}

describe('classifyError()', () => {
  it('survives anything', () => {
    fc.assert(
      fc.property(fc.anything(), (thrown) => expectSaneVerdict(thrown)),
      { numRuns: 500 },
    );
  });

  it('survives errors with anything in their fields', () => {
    fc.assert(
      fc.property(fields, value, fc.array(value, { maxLength: 5 }), (fields, cause, errors) =>
        expectSaneVerdict(Object.assign(new Error(), fields, { cause, errors })),
      ),
      { numRuns: 1000 },
    );
  });

  it('survives requests with anything in their fields', () => {
    const req = fc.record({
      signal: value,
      res: value,
      socket: value,
      errored: value,
      httpVersionMajor: value,
    });
    fc.assert(
      fc.property(fields, req, (fields, req) =>
        expectSaneVerdict(Object.assign(new Error(), fields), req as unknown as IncomingMessage),
      ),
      { numRuns: 500 },
    );
  });

  it('survives any tangle of causes, and looks at 64 errors at most, at each of them once', () => {
    fc.assert(
      fc.property(graph, (nodes) => {
        expectSaneVerdict(build(nodes)[0]);
        const chain = errorChain(build(nodes)[0]).map(({ error }) => error);
        expect(chain.length).toBeLessThanOrEqual(64);
        expect(new Set(chain).size).toBe(chain.length);
      }),
      { numRuns: 150 },
    );
  });

  it('finds a reset wherever it is put within its bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 16 }), (wrappers) => {
        const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
        const thrown = wrappers.reduce<Error>(
          (inner, isAggregate) =>
            isAggregate ? new AggregateError([new Error('x'), inner]) : new Error('x', { cause: inner }),
          reset,
        );
        expect(classifyError(thrown)?.code).toBe('UPSTREAM_RESET');
      }),
    );
  });
});
