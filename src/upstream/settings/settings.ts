import { checkNames, millisecondsOrFalse, wrongType } from '../../options';
import type { SocketOptions } from '../sockets/learning-pool';
import type { UpstreamOptions } from '../types';

/** The defaults of `upstream()`. The tables of the documentation are tested against them. */
export const UPSTREAM_DEFAULTS = {
  keepAlive: 4000,
  retries: 2,
  attempt: false,
  connections: Infinity,
} as const;

const MOST_RETRIES = 10;

/** The options of `upstream()`, checked and complete. */
export interface Settings extends SocketOptions {
  retries: number;
  attempt: number | false;
}

/** Checks the options of `upstream()`. */
export function checkSettings(options: UpstreamOptions): Settings {
  const where = 'upstream(): option';
  checkNames('upstream()', options, [...Object.keys(UPSTREAM_DEFAULTS), 'connect']);
  const { keepAlive, retries, attempt, connections, connect = {} } = { ...UPSTREAM_DEFAULTS, ...options };
  if (typeof connect !== 'object' || (connect as unknown) === null) {
    throw wrongType(`${where} "connect"`, connect, 'an object with options of tls.connect()');
  }
  return {
    keepAlive: millisecondsOrFalse(`${where} "keepAlive"`, keepAlive),
    retries: checkRetries(`${where} "retries"`, retries),
    attempt: millisecondsOrFalse(`${where} "attempt"`, attempt),
    connections:
      connections === Infinity ? connections : wholeNumber(`${where} "connections"`, connections, 1, 65_535),
    connect,
  };
}

/** Checks how often a call may be sent again. */
export function checkRetries(where: string, retries: unknown): number {
  return wholeNumber(where, retries, 0, MOST_RETRIES);
}

function wholeNumber(where: string, value: unknown, min: number, max: number): number {
  const allowed = `a whole number from ${min} to ${max}`;
  if (typeof value !== 'number') throw wrongType(where, value, allowed);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${where} is ${value}, but must be ${allowed}.`);
  }
  return value;
}
