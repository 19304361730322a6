import type { FrontEnd } from './load-balancers';

/** One contradiction among timeouts. */
export interface TimeoutFinding {
  /** Stable; `docs/timeouts.md` has a row for each. */
  code:
    | 'KEEP_ALIVE_BELOW_FRONT_END'
    | 'HEADERS_TIMEOUT_ABOVE_REQUEST_TIMEOUT'
    | 'DEADLINE_ABOVE_FRONT_END'
    | 'SERVER_TIMEOUT_BELOW_DEADLINE'
    | 'DRAIN_SHORTER_THAN_DEADLINE'
    | 'GRACE_PERIOD_SHORTER_THAN_DRAIN';
  /** What contradicts what, and what to do, in words. */
  message: string;
  /** Whether `tuneServer()` has set it right already. */
  fixed: boolean;
}

/** All that can contradict, in milliseconds; 0 means "off" in the server's own, as in Node. */
export interface Timeouts {
  frontEnd: FrontEnd;
  keepAlive: number;
  headers: number;
  request: number;
  socket: number;
  deadline: number | undefined;
  drain: { timeout: number; force: number } | undefined;
  terminationGracePeriod: number | undefined;
}

/** Node's default for `server.keepAliveTimeout`: nobody's decision, and no news. */
const NODE_KEEP_ALIVE_MS = 5000;

/** The contradictions among the timeouts as they were found, before `tuneServer()` changed them. */
export function timeoutFindings(timeouts: Timeouts): TimeoutFinding[] {
  return [keepAlive, headers, deadline, socket, drain, gracePeriod].flatMap((check) => check(timeouts) ?? []);
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
  if (phases === undefined || deadlineMs === undefined || phases.timeout >= deadlineMs) return undefined;
  return {
    code: 'DRAIN_SHORTER_THAN_DEADLINE',
    message: `The drain aborts what still runs after ${phases.timeout} ms, before the deadline of ${deadlineMs} ms: a deploy answers 503 to requests that had time left. Raise the drain's timeout, or lower the deadline.`,
    fixed: false,
  };
};

const gracePeriod: Check = ({ drain: phases, terminationGracePeriod: graceMs }) => {
  if (phases === undefined || graceMs === undefined || phases.force < graceMs) return undefined;
  return {
    code: 'GRACE_PERIOD_SHORTER_THAN_DRAIN',
    message: `The drain may take ${phases.force} ms, but the process is killed ${graceMs} ms after the signal: connections are reset in the middle. Raise terminationGracePeriodSeconds (or its like), or lower the drain's force.`,
    fixed: false,
  };
};
