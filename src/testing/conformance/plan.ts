import { checkOptionNames, nonNegative, oneOf } from '../check-options';
import type { UpstreamAttempt } from '../upstream/upstream-log';
import type { ConformanceCell } from './cell';
import { expectations, type ConformanceExpectations, type Expectation } from './expectations';
import { COLUMNS, ROWS, type ConformanceClient, type ConformanceFault } from './matrix';
import type { ConformanceUpstream } from './upstream';

/** The upstream's answer when the fault lets it answer: a text as it is, anything else as JSON. */
export type ConformanceAnswer = string | object | ((attempt: UpstreamAttempt) => string | object);

/** The options of `conformance()`. */
export interface ConformanceOptions {
  /**
   * The path of the route, with its query. It must call the upstream, and answer 2xx when the upstream does. Default `/`.
   * Each `{n}` in it, in `headers` and in `body` is replaced by a number that no other request of the run has. A route with a
   * cache needs this.
   */
  route?: string;
  /** The methods that it takes. Default `['GET', 'POST']`; a POST sends a JSON body. */
  methods?: readonly ('GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[];
  /** Headers that the route needs. */
  headers?: Record<string, string>;
  /** The body of a POST. Default: a JSON object of about 2 KB. */
  body?: string;
  /**
   * The upstream that the route calls: a `faultyUpstream()`, a `faultyTcp()`, or a function that gets the URL of a
   * `faultyUpstream()` and passes it to the app. Without an upstream only the client's behaviours can be judged: set
   * `faults: ['ok']`.
   */
  upstream?: ConformanceUpstream | ((url: string) => unknown);
  /** The upstream's answer when the fault lets it answer, for a route that reads it. Default: a small JSON object. */
  answer?: ConformanceAnswer;
  /**
   * The statuses that are right for a fault, instead of 502 and 504: `{ reset: [503], hang: ['2xx'] }`. `all` holds for every
   * fault that breaks something and is not named itself.
   */
  expect?: ConformanceExpectations;
  /** Whether the route hands its work to a queue, so that its calls go on when the client has left. Default false. */
  background?: boolean;
  /** The route's deadline in milliseconds, as the app has set it. After it, a hanging upstream is a 504. Default 1000. */
  deadline?: number;
  /** How much later than the deadline an answer may come, in milliseconds. Default: a quarter of the deadline, at least 250. */
  margin?: number;
  /** The faults to play. Default: all. */
  faults?: readonly ConformanceFault[];
  /** The client behaviours to play. Default: all. */
  clients?: readonly ConformanceClient[];
  /** The protocol between client and app. Default `http1`. */
  protocol?: 'http1' | 'http2';
  /** Called for each cell when it is judged, with the number of cells that are judged and the number of all cells. */
  onCell?: (cell: ConformanceCell, judged: number, of: number) => void;
}

/** The checked options. */
export interface ConformancePlan {
  route: string;
  methods: readonly string[];
  headers: Record<string, string>;
  body: string;
  answer: ConformanceAnswer | undefined;
  expected: Record<ConformanceFault, Expectation>;
  background: boolean;
  deadline: number;
  margin: number;
  faults: readonly ConformanceFault[];
  clients: readonly ConformanceClient[];
  protocol: 'http1' | 'http2';
  onCell: NonNullable<ConformanceOptions['onCell']>;
}

const WHERE = 'conformance()';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const ALL_CLIENTS = [...COLUMNS, 'two-at-once', 'one-after-another'] as const;
const OPTIONS = [
  ...['route', 'methods', 'headers', 'body', 'upstream', 'answer', 'expect', 'background', 'deadline'],
  ...['margin', 'faults', 'clients', 'protocol', 'onCell'],
];

/** Checks the options; throws a TypeError or RangeError that names the wrong one. */
export function conformancePlan(options: ConformanceOptions): ConformancePlan {
  checkOptionNames(WHERE, options, OPTIONS);
  const { route = '/', methods = ['GET', 'POST'], headers = {}, faults = ROWS } = options;
  if (!route.startsWith('/'))
    throw new TypeError(`${WHERE}: route is "${route}", but must begin with a slash.`);
  const deadline = nonNegative(`${WHERE}: deadline`, options.deadline, 1000);
  return {
    route,
    methods: filled('methods', methods).map((method) => oneOf(`${WHERE}: methods`, method, METHODS)),
    headers,
    body: options.body ?? JSON.stringify({ conformance: '{n}', filler: 'x'.repeat(2000) }),
    answer: options.answer,
    expected: expectations(options.expect ?? {}),
    background: options.background ?? false,
    deadline,
    margin: nonNegative(`${WHERE}: margin`, options.margin, Math.max(250, deadline / 4)),
    faults: filled('faults', faults).map((fault) => oneOf(`${WHERE}: faults`, fault, ROWS)),
    clients: filled('clients', options.clients ?? ALL_CLIENTS).map((client) =>
      oneOf(`${WHERE}: clients`, client, ALL_CLIENTS),
    ),
    protocol: oneOf(`${WHERE}: protocol`, options.protocol, ['http1', 'http2']),
    onCell: options.onCell ?? (() => undefined),
  };
}

/** Refuses an empty list, with which nothing would be tested. */
function filled<T>(name: string, list: readonly T[]): readonly T[] {
  if (list.length === 0) throw new TypeError(`${WHERE}: ${name} is empty; leave it out for all of them.`);
  return list;
}
