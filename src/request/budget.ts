import type { Request } from 'express';
import { checkNames, MAX_MS, optionalFunction, wrongType } from '../options';

/** The header that `upstream()` and `propagate` send: what remains of the request's time, in whole milliseconds. */
export const OUTBOUND_BUDGET_HEADER = 'X-Request-Timeout-Ms';

/** The margin covers the way back. It also lets the upstream's own 504 arrive before ours is sent. */
const MARGIN_MS = 10;
const MARGIN_SHARE = 0.05;

/** What an upstream may spend of the time that remains, in whole ms: less a margin of 5 %, at most 10 ms. */
export function spendableMs(remainingMs: number): number {
  return Math.floor(remainingMs - Math.min(MARGIN_MS, remainingMs * MARGIN_SHARE));
}

/** Whether a budget that the app has set in a header is at most `ms`. Then the app's header is kept. */
export function isWithinBudget(said: unknown, ms: number): boolean {
  const text = String(said);
  return /^\d{1,10}$/.test(text) && Number(text) <= ms;
}

/** Which callers may shorten the deadline by a header, and by which headers. */
export interface InheritOptions {
  /**
   * The headers to look at; default: `X-Request-Timeout-Ms`, `grpc-timeout`, `Connect-Timeout-Ms` and
   * `X-Envoy-Expected-Rq-Timeout-Ms`. A name that is not among them is read as whole milliseconds.
   */
  headers?: string[];
  /** Whether this request's headers count; default: every request's do (they can only shorten its own time). */
  trust?: (req: Request) => boolean;
}

/** Gives the caller's remaining time in ms; `Infinity` if the request has no usable header. */
export type BudgetReader = (req: Request) => number;

type HeaderParser = (value: string) => number | undefined;

const GRPC_UNIT_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

const PARSERS: Record<string, HeaderParser> = {
  'x-request-timeout-ms': wholeMilliseconds,
  // TimeoutValue of at most 8 digits and a unit: gRPC over HTTP/2, "Requests".
  'grpc-timeout': grpcTimeout,
  // At most 10 digits: the Connect protocol, "Unary-Request".
  'connect-timeout-ms': wholeMilliseconds,
  'x-envoy-expected-rq-timeout-ms': wholeMilliseconds,
};

function wholeMilliseconds(value: string): number | undefined {
  return /^\d{1,10}$/.test(value) ? Number(value) : undefined;
}

function grpcTimeout(value: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(value);
  return match ? Number(match[1]) * (GRPC_UNIT_MS[match[2] ?? ''] ?? NaN) : undefined;
}

/**
 * Makes the reader for the `inherit` option. It reads relative times only, so a skewed clock does no harm. A value
 * that is malformed, negative, huge or sent twice is ignored and never an error: a header must not be able to break
 * a request.
 * @throws {TypeError} for options of the wrong shape.
 */
export function budgetReader(inherit: boolean | InheritOptions): BudgetReader | undefined {
  if (inherit === false) return undefined;
  const { headers, trust } = checkInherit(inherit === true ? {} : inherit);
  const parsers = (headers ?? Object.keys(PARSERS)).map((name): [string, HeaderParser] => {
    const key = name.toLowerCase();
    return [key, PARSERS[key] ?? wholeMilliseconds];
  });
  return function readBudget(req) {
    if (trust && !trust(req)) return Infinity;
    return Math.min(...parsers.map(([name, parse]) => usable(req.headers[name], parse)));
  };
}

function usable(value: string | string[] | undefined, parse: HeaderParser): number {
  // Node joins a repeated header with commas, which no parser accepts.
  const ms = typeof value === 'string' ? parse(value) : undefined;
  return ms === undefined || ms > MAX_MS ? Infinity : ms;
}

function checkInherit(inherit: InheritOptions): InheritOptions {
  const where = 'hangup(): option "inherit"';
  if (typeof inherit !== 'object')
    throw wrongType(where, inherit, 'true, false or an object { headers, trust }');
  checkNames(where, inherit, ['headers', 'trust']);
  optionalFunction(`${where}, "trust"`, inherit.trust);
  const { headers } = inherit;
  if (headers === undefined) return inherit;
  const isList = Array.isArray(headers) && headers.length > 0;
  if (!isList || !headers.every((name) => typeof name === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name))) {
    throw wrongType(`${where}, "headers"`, headers, 'a list of one or more header names');
  }
  return inherit;
}
