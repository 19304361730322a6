import type { IncomingMessage } from 'node:http';
import type { CallSite, FaultCode, GatewayFault } from '../answer/fault';
import { lifetimeOf } from '../request/lifetime/lifetime-of';
import { routeOf } from '../request/route/route';
import { knownMethod } from './requests/known-method';
import { idsOf } from './requests/request-ids';

/** One log line about one fault. It is flat, so that every logger and query language can use it. */
export interface FaultLine {
  msg: string;
  code: FaultCode;
  status: number;
  /** `_OTHER` where Node does not know the method. */
  method: string;
  /** The route's pattern. */
  route?: string;
  /** From the request's arrival to the fault. */
  ms?: number;
  /** The deadline that the request had. */
  deadlineMs?: number;
  traceId?: string;
  requestId?: string;
  /** Scheme, host and port of the upstream. */
  upstream?: string;
  verdict?: string;
  phase?: string;
  trigger?: string;
  reusedSocket?: boolean;
  requestsOnSocket?: number;
  idleMs?: number;
  attempt?: number;
  /** `file:line:column` of the call in the app. */
  where?: string;
  advice?: string;
  evidence?: string;
}

/**
 * Makes one structured line about a fault, for `gatewayErrorHandler({ onFault: (fault, req) =>
 * log.warn(faultLine(fault, req)) })`. It tells what Envoy's response flags and HAProxy's termination states tell.
 * It holds no text from a client or a library: no path, query string, header, body, error message or `cause`.
 */
export function faultLine(fault: GatewayFault, req: IncomingMessage): FaultLine {
  const { code, status, upstream } = fault;
  const lifetime = lifetimeOf(req);
  const line: Record<keyof FaultLine, unknown> = {
    msg: `${status} ${code}${upstream ? ` by ${upstream.origin}` : ''}`,
    code,
    status,
    method: knownMethod(req.method),
    route: lifetime?.route ?? routeOf(req),
    ms: lifetime && Math.round(lifetime.elapsed()),
    deadlineMs: lifetime?.timeoutMs === Infinity ? undefined : lifetime?.timeoutMs,
    ...idsOf(req),
    upstream: upstream?.origin,
    verdict: upstream?.verdict,
    phase: upstream?.phase,
    trigger: upstream?.trigger,
    reusedSocket: upstream?.reusedSocket,
    requestsOnSocket: upstream?.requestsOnSocket,
    idleMs: upstream?.idleMs,
    attempt: upstream?.attempt,
    where: inOneWord(upstream?.where),
    advice: upstream?.advice,
    evidence: upstream?.evidence,
  };
  const known = Object.entries(line).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as unknown as FaultLine;
}

function inOneWord(where: CallSite | undefined): string | undefined {
  return where && `${where.file}:${where.line}:${where.column}`;
}
