import type { FrontEnd } from './load-balancers';
import type { GracePeriod } from './platforms';

/** One contradiction among timeouts. */
export interface TimeoutFinding {
  /** Stable; `docs/timeouts.md` has a row for each. */
  code:
    | 'KEEP_ALIVE_BELOW_FRONT_END'
    | 'HEADERS_TIMEOUT_ABOVE_REQUEST_TIMEOUT'
    | 'DEADLINE_ABOVE_FRONT_END'
    | 'SERVER_TIMEOUT_BELOW_DEADLINE'
    | 'DRAIN_SHORTER_THAN_DEADLINE'
    | 'GRACE_PERIOD_SHORTER_THAN_DRAIN'
    | 'LOOKS_LIKE_SECONDS';
  /** Says which timeouts contradict each other, and what to do. */
  message: string;
  /** Whether `tuneServer()` has corrected it already. */
  fixed: boolean;
}

/** All timeouts that are compared, in milliseconds. As in Node, 0 means "off" for the server's own timeouts. */
export interface Timeouts {
  frontEnd: FrontEnd;
  keepAlive: number;
  headers: number;
  request: number;
  socket: number;
  deadline: number | undefined;
  drain: { delay: number; timeout: number; force: number } | undefined;
  gracePeriod: GracePeriod | undefined;
  /** The options given as numbers whose values are usually seconds elsewhere, by name. */
  numbers: (readonly [option: string, value: number])[];
}

/** Node's default for `server.keepAliveTimeout`. The app has not chosen it, so raising it is not worth a finding. */
const NODE_KEEP_ALIVE_MS = 5000;

/** The contradictions among the timeouts as they were before `tuneServer()` changed them. */
export function timeoutFindings(timeouts: Timeouts): TimeoutFinding[] {
  const checks = [keepAlive, headers, deadline, socket, drain, gracePeriod, seconds];
  return checks.flatMap((check) => check(timeouts) ?? []);
}

type Check = (timeouts: Timeouts) => TimeoutFinding | undefined;

const keepAlive: Check = ({ keepAlive: ms, frontEnd }) => {
  if (ms === 0 || ms > frontEnd.idleMs || ms === NODE_KEEP_ALIVE_MS) return undefined;
  return {
    code: 'KEEP_ALIVE_BELOW_FRONT_END',
    message: `server.keepAliveTimeout was ${ms} ms, not above the ${frontEnd.idleMs} ms for which ${frontEnd.name} keeps idle connections: it would send requests on connections that this server has just closed, and answer 502. It has been raised.`,
    fixed: true,
  };
};

const headers: Check = ({ headers: ms, request }) => {
  if (request === 0 || ms <= request) return undefined;
  return {
    code: 'HEADERS_TIMEOUT_ABOVE_REQUEST_TIMEOUT',
    message: `server.headersTimeout was ${ms} ms, above server.requestTimeout, ${request} ms. Node refuses this in createServer(), and where it is assigned silently swaps the two: headers then have ${request} ms, whole requests ${ms} ms. requestTimeout has been raised.`,
    fixed: true,
  };
};

const deadline: Check = ({ deadline: ms, frontEnd }) => {
  if (ms === undefined || ms < frontEnd.responseMs) return undefined;
  return {
    code: 'DEADLINE_ABOVE_FRONT_END',
    message: `The deadline of ${ms} ms is not below the ${frontEnd.responseMs} ms after which ${frontEnd.name} gives up: it cuts first, and your 504 is never seen. Lower the deadline, or raise the front end's limit.`,
    fixed: false,
  };
};

const socket: Check = ({ socket: ms, deadline: deadlineMs }) => {
  if (ms === 0 || deadlineMs === undefined || ms > deadlineMs) return undefined;
  return {
    code: 'SERVER_TIMEOUT_BELOW_DEADLINE',
    message: `server.timeout of ${ms} ms destroys a silent connection without an answer, before the deadline of ${deadlineMs} ms can answer 504. Set server.timeout to 0, or above the deadline.`,
    fixed: false,
  };
};

const drain: Check = ({ drain: phases, deadline: deadlineMs }) => {
  if (phases === undefined || deadlineMs === undefined) return undefined;
  const { delay, timeout } = phases;
  const leftMs = timeout - delay;
  if (leftMs >= deadlineMs) return undefined;
  const whoseTime =
    delay === 0
      ? 'A request that arrives with the signal'
      : `A request that arrives at the end of the drain's delay (${delay} ms)`;
  return {
    code: 'DRAIN_SHORTER_THAN_DEADLINE',
    message: `${whoseTime} has ${leftMs} ms until the drain's timeout (${timeout} ms), less than its deadline of ${deadlineMs} ms: a deploy answers it 503 though it had time left. Raise the drain's timeout, or lower its delay or the deadline.`,
    fixed: false,
  };
};

const gracePeriod: Check = ({ drain: phases, gracePeriod: grace }) => {
  if (phases === undefined || grace === undefined || phases.force < grace.ms) return undefined;
  return {
    code: 'GRACE_PERIOD_SHORTER_THAN_DRAIN',
    message: `The drain may take ${phases.force} ms, but ${grace.name} kills the process ${grace.ms} ms after its signal: connections are reset in the middle of the drain. Lower the drain's force, or raise the grace period (${grace.setting}) and give it as terminationGracePeriod.`,
    fixed: false,
  };
};

/** No front end and no platform waits for less than this by default or in its examples. */
const SHORTEST_MS = 1000;

const seconds: Check = ({ numbers }) => {
  const short = numbers.filter(([, value]) => value > 0 && value < SHORTEST_MS);
  if (short.length === 0) return undefined;
  const named = short.map(([option, value]) => `${option} is ${value} ms`).join(' and ');
  return {
    code: 'LOOKS_LIKE_SECONDS',
    message: `${named}: that looks like seconds. All times are milliseconds: multiply by 1000.`,
    fixed: false,
  };
};
