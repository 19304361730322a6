import type { Request } from 'express';
import { millisecondsOrFalse, wrongType } from '../options';

/** A deadline as options give it: milliseconds, `false` for none, or a function of the request that gives either. */
export type DeadlineValue = number | false | ((req: Request) => number | false);

/** Gives a request's deadline in ms from its arrival, `Infinity` for none. */
export type DeadlineReader = (req: Request) => number;

/**
 * Checks a configured deadline. If it is a function, its result is checked for each request.
 * @throws {TypeError | RangeError} naming `where`; a function's result is checked when the reader is called.
 */
export function deadlineReader(where: string, value: DeadlineValue): DeadlineReader {
  if (typeof value === 'function') {
    return (req) => asTimeout(millisecondsOrFalse(`${where}: the function's result`, value(req)));
  }
  const given: unknown = value;
  if (typeof given !== 'number' && given !== false) {
    throw wrongType(where, given, 'a number of milliseconds, false for none, or a function of the request');
  }
  const timeout = asTimeout(millisecondsOrFalse(where, given));
  return () => timeout;
}

function asTimeout(ms: number | false): number {
  return ms === false ? Infinity : ms;
}
