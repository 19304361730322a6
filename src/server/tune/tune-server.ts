import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { checkNames, milliseconds, wrongType } from '../../options';
import { FRONT_ENDS, type FrontEnd, type LoadBalancer } from './load-balancers';
import { gracePeriodOf, type Platform } from './platforms';
import { timeoutFindings, type TimeoutFinding, type Timeouts } from './timeout-findings';

/** The options of `tuneServer()`. All times are milliseconds. */
export interface TuneServerOptions {
  /** The front end before the server: its name, for its default idle time, or its idle time in milliseconds. */
  loadBalancer: LoadBalancer | number;
  /** The longest deadline of the app, to be checked against the front end's limit and the drain. Default: not checked. */
  deadline?: number;
  /**
   * The result of `drainable()`, or its phases, checked against the deadline and the grace period. Default: not
   * checked.
   */
  drain?: { delay?: number; timeout: number; force: number };
  /**
   * How long the platform waits after its signal before it kills the process: the platform's name, for its default,
   * or milliseconds (Kubernetes' terminationGracePeriodSeconds × 1000). Default: that of the platform that the
   * process runs on, if it can be detected.
   */
  terminationGracePeriod?: Platform | number;
}

/** The result of `tuneServer()`. */
export interface ServerTuning {
  /** The timeouts that the server has now. */
  set: { keepAliveTimeout: number; headersTimeout: number; requestTimeout: number };
  /** The timeouts that contradicted each other; empty if none did. */
  findings: TimeoutFinding[];
}

/** How much longer than the front end this server keeps an idle connection. */
const KEEP_ALIVE_MARGIN_MS = 5000;
const HEADERS_MARGIN_MS = 1000;

/**
 * Makes the server's timeouts fit its front end. `keepAliveTimeout` becomes longer than the front end's idle time,
 * so that the front end and not this server closes idle connections (otherwise clients get the 502 of
 * nodejs/node#20256). `headersTimeout` becomes longer than that, and `requestTimeout` no shorter than
 * `headersTimeout`. A timeout that is longer already, or off (0), stays.
 * @throws {TypeError | RangeError} if `server` is no http or https server, or if options are unknown or wrong.
 */
export function tuneServer(server: HttpServer | HttpsServer, options: TuneServerOptions): ServerTuning {
  checkServer(server);
  checkNames('tuneServer()', options, ['loadBalancer', 'deadline', 'drain', 'terminationGracePeriod']);
  const findings = timeoutFindings(timeoutsOf(server, options));
  const keepAlive = frontEndOf(options.loadBalancer).idleMs + KEEP_ALIVE_MARGIN_MS;
  server.keepAliveTimeout = atLeast(server.keepAliveTimeout, keepAlive);
  // This holds also for a keep-alive time of 0, which means no limit: a spare connection that has not carried a
  // request yet is closed after `headersTimeout`.
  const headers = Math.max(keepAlive, server.keepAliveTimeout) + HEADERS_MARGIN_MS;
  server.headersTimeout = atLeast(server.headersTimeout, headers);
  server.requestTimeout = atLeast(server.requestTimeout, server.headersTimeout);
  const { keepAliveTimeout, headersTimeout, requestTimeout } = server;
  return { set: { keepAliveTimeout, headersTimeout, requestTimeout }, findings };
}

/** Zero is "no limit" to Node, which is longer than any. */
function atLeast(present: number, ms: number): number {
  return present === 0 ? 0 : Math.max(present, ms);
}

function timeoutsOf(server: HttpServer, options: TuneServerOptions): Timeouts {
  const { deadline, drain, terminationGracePeriod } = options;
  const where = 'tuneServer(): option';
  if (deadline !== undefined) milliseconds(`${where} "deadline"`, deadline, { min: 1 });
  return {
    frontEnd: frontEndOf(options.loadBalancer),
    keepAlive: server.keepAliveTimeout,
    headers: server.headersTimeout,
    request: server.requestTimeout,
    socket: server.timeout,
    deadline,
    drain: drain === undefined ? undefined : phasesOf(drain),
    gracePeriod: gracePeriodOf(terminationGracePeriod),
    numbers: Object.entries({ loadBalancer: options.loadBalancer, terminationGracePeriod }).filter(isNumber),
  };
}

function isNumber(entry: [string, unknown]): entry is [string, number] {
  return typeof entry[1] === 'number';
}

function phasesOf(drain: unknown): { delay: number; timeout: number; force: number } {
  const where = 'tuneServer(): option "drain"';
  if (typeof drain !== 'object' || drain === null) {
    throw wrongType(where, drain, 'what drainable() gives, or { timeout, force }');
  }
  const { delay = 0, timeout, force } = drain as { delay?: unknown; timeout?: unknown; force?: unknown };
  return {
    delay: milliseconds(`${where}, "delay"`, delay),
    timeout: milliseconds(`${where}, "timeout"`, timeout),
    force: milliseconds(`${where}, "force"`, force),
  };
}

function frontEndOf(loadBalancer: unknown): FrontEnd {
  if (typeof loadBalancer === 'string' && Object.hasOwn(FRONT_ENDS, loadBalancer)) {
    return FRONT_ENDS[loadBalancer as LoadBalancer];
  }
  const where = 'tuneServer(): option "loadBalancer"';
  const names = Object.keys(FRONT_ENDS).map((name) => `'${name}'`);
  if (typeof loadBalancer !== 'number') {
    throw wrongType(where, loadBalancer, `one of ${names.join(', ')}, or its idle time in milliseconds`);
  }
  return {
    name: 'the front end',
    idleMs: milliseconds(where, loadBalancer, { min: 1 }),
    responseMs: Infinity,
  };
}

function checkServer(server: unknown): void {
  const isServer = typeof server === 'object' && server !== null && 'keepAliveTimeout' in server;
  if (isServer) return;
  const hint = typeof server === 'function' ? ': what app.listen() returns, not the app' : '';
  throw wrongType('tuneServer(): the server', server, `a server of node:http or node:https${hint}`);
}
