import { amount, checkOptionNames, oneOf } from '../check-options';
import type { FaultyUpstream } from '../upstream/faulty-upstream';

/** The faults of the matrix, one row each. */
export const ROWS = [
  'ok',
  'slow',
  'hang',
  'hang-body',
  'reset',
  'close',
  'reset-chunk',
  'close-body',
  'close-chunk',
  'garbage',
  'refuse',
  'stale',
] as const;

/** The behaviours of the client, one column each. */
export const COLUMNS = [
  'stays',
  'leaves-fin',
  'leaves-rst',
  'leaves-in-response',
  'leaves-in-request',
] as const;

/** A row of the matrix: what the upstream does. */
export type ConformanceFault = (typeof ROWS)[number];

/** A column of the matrix: what the client does. */
export type ConformanceClient = (typeof COLUMNS)[number];

/** What `conformance()` can be told. */
export interface ConformanceOptions {
  /** The path of the route, with its query. It must call the upstream, and answer 2xx when the upstream does. Default `/`. */
  route?: string;
  /** The methods that it takes. Default `['GET', 'POST']`; a POST sends a JSON body. */
  methods?: readonly ('GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[];
  /** Headers that the route needs. */
  headers?: Record<string, string>;
  /** The body of a POST. Default: a JSON object of about 2 KB. */
  body?: string;
  /**
   * The upstream that the route calls: a `faultyUpstream()`, or a function that is given the URL of one and tells the app. Without
   * it only what does not depend on the upstream can be seen.
   */
  upstream?: FaultyUpstream | ((url: string) => unknown);
  /** The deadline of the route in milliseconds, as the app has set it: after that a hanging upstream is a 504. Default 1000. */
  deadline?: number;
  /** How much later than the deadline an answer may come, in milliseconds. Default 1500. */
  margin?: number;
  /** Only these faults. Default all. */
  faults?: readonly ConformanceFault[];
  /** Only these clients. Default all. */
  clients?: readonly ConformanceClient[];
  /** The protocol between client and app. Default `http1`. */
  protocol?: 'http1' | 'http2';
}

/** The checked options. */
export interface ConformancePlan {
  route: string;
  methods: readonly string[];
  headers: Record<string, string>;
  body: string;
  deadline: number;
  margin: number;
  faults: readonly ConformanceFault[];
  clients: readonly ConformanceClient[];
  protocol: 'http1' | 'http2';
}

const WHERE = 'conformance()';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Checks the options; throws a TypeError or RangeError that names the wrong one. */
export function conformancePlan(options: ConformanceOptions): ConformancePlan {
  checkOptionNames(WHERE, options, [
    ...[
      'route',
      'methods',
      'headers',
      'body',
      'upstream',
      'deadline',
      'margin',
      'faults',
      'clients',
      'protocol',
    ],
  ]);
  const { route = '/', methods = ['GET', 'POST'], headers = {}, faults = ROWS, clients = COLUMNS } = options;
  if (!route.startsWith('/'))
    throw new TypeError(`${WHERE}: route is "${route}", but must begin with a slash.`);
  return {
    route,
    methods: methods.map((method) => oneOf(`${WHERE}: methods`, method, METHODS)),
    headers,
    body: options.body ?? JSON.stringify({ conformance: true, filler: 'x'.repeat(2000) }),
    deadline: amount(`${WHERE}: deadline`, options.deadline, 1000),
    margin: amount(`${WHERE}: margin`, options.margin, 1500),
    faults: faults.map((fault) => oneOf(`${WHERE}: faults`, fault, ROWS)),
    clients: clients.map((client) => oneOf(`${WHERE}: clients`, client, COLUMNS)),
    protocol: oneOf(`${WHERE}: protocol`, options.protocol, ['http1', 'http2']),
  };
}

/** Whether a request with this method sends a body. */
export function hasBody(method: string): boolean {
  return method !== 'GET' && method !== 'DELETE';
}
