import { checkNames, milliseconds, millisecondsOrFalse, numberThat, wrongType } from '../../options';
import { OUTLIER_DEFAULTS, type OutlierRules } from '../origins/outlier-detection';
import type { SocketOptions } from '../sockets/learning-pool';
import type { OutlierDetectionOptions, UpstreamDispatcher, UpstreamOptions } from '../types';

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
  outlierRules: OutlierRules | false;
  dispatcher: UpstreamDispatcher | undefined;
}

/** Checks the options of `upstream()`. */
export function checkSettings(options: UpstreamOptions): Settings {
  const where = 'upstream(): option';
  const others = ['connect', 'outlierDetection', 'dispatcher'];
  checkNames('upstream()', options, [...Object.keys(UPSTREAM_DEFAULTS), ...others]);
  const { keepAlive, retries, attempt, connections } = { ...UPSTREAM_DEFAULTS, ...options };
  return {
    keepAlive: millisecondsOrFalse(`${where} "keepAlive"`, keepAlive),
    retries: checkRetries(`${where} "retries"`, retries),
    attempt: millisecondsOrFalse(`${where} "attempt"`, attempt),
    connections:
      connections === Infinity ? connections : wholeNumber(`${where} "connections"`, connections, 1, 65_535),
    connect: checkConnect(options.connect),
    outlierRules: checkOutlierDetection(options.outlierDetection ?? {}),
    dispatcher: checkDispatcher(`${where} "dispatcher"`, options.dispatcher),
  };
}

/** Checks how often a call may be sent again. */
export function checkRetries(where: string, retries: unknown): number {
  return wholeNumber(where, retries, 0, MOST_RETRIES);
}

/** Checks an undici dispatcher; `undefined` is none. */
export function checkDispatcher<T>(where: string, dispatcher: T): T {
  const { dispatch } = (dispatcher ?? {}) as Partial<UpstreamDispatcher>;
  if (dispatcher !== undefined && typeof dispatch !== 'function') {
    throw wrongType(where, dispatcher, 'an undici dispatcher, such as a MockAgent or a ProxyAgent');
  }
  return dispatcher;
}

/** undici itself takes any `timeout`. One that is no number never passes. */
function checkConnect(connect: UpstreamOptions['connect'] = {}): SocketOptions['connect'] {
  const where = 'upstream(): option';
  if (typeof connect !== 'object' || (connect as unknown) === null || Array.isArray(connect)) {
    throw wrongType(`${where} "connect"`, connect, 'an object with options of tls.connect()');
  }
  if (connect.timeout !== undefined) milliseconds(`${where} "connect.timeout"`, connect.timeout);
  return connect;
}

function checkOutlierDetection(options: OutlierDetectionOptions | false): OutlierRules | false {
  if (options === false) return false;
  const name = 'upstream(): option "outlierDetection"';
  if (typeof options !== 'object') throw wrongType(name, options, 'an object, or false for never');
  checkNames(name, options, Object.keys(OUTLIER_DEFAULTS));
  const rules = { ...OUTLIER_DEFAULTS, ...options };
  const where = (option: string): string => `upstream(): option "outlierDetection.${option}"`;
  const failures = wholeNumber(where('consecutiveGatewayFailure'), rules.consecutiveGatewayFailure, 1, 1000);
  return {
    consecutiveGatewayFailure: failures,
    baseEjectionTime: milliseconds(where('baseEjectionTime'), rules.baseEjectionTime, { min: 1 }),
    maxEjectionTime: milliseconds(where('maxEjectionTime'), rules.maxEjectionTime, { min: 1 }),
    maxEjectionPercent: wholeNumber(where('maxEjectionPercent'), rules.maxEjectionPercent, 0, 100),
  };
}

function wholeNumber(where: string, value: unknown, min: number, max: number): number {
  const allowed = `a whole number from ${min} to ${max}`;
  return numberThat(where, value, allowed, (each) => Number.isInteger(each) && each >= min && each <= max);
}
