import type { CallSite, FaultCode, UpstreamInfo } from '../../answer/fault';
import type { FaultReport } from '../report';

/** One line of the file that `diagnose({ file })` writes. `docs/diagnose.md` holds its shape: other programs read it. */
export interface FaultRecord {
  /** ISO 8601, UTC. */
  time: string;
  code: FaultCode | null;
  method: string | null;
  /** The route's pattern. */
  route: string | null;
  /** The line of the app that made the call. */
  where: CallSite | null;
  /** Without `where`, which stands above. */
  upstream: Omit<UpstreamInfo, 'where'> | null;
  /** The status that was answered; `null` where `gatewayErrorHandler()` had no part in it. */
  status: number | null;
  outcome: FaultReport['outcome'] | null;
  /** From the request's arrival to the fault. */
  ms: number | null;
  attempts: number;
  traceId: string | null;
  requestId: string | null;
  pid: number;
}

/** What of a fault is written down: no query string, header, body or message. */
export function recordOf(fault: FaultReport): FaultRecord {
  const { where, ...upstream } = fault.upstream ?? {};
  return {
    time: new Date(fault.at).toISOString(),
    code: fault.code ?? null,
    method: fault.method ?? null,
    route: fault.route ?? null,
    where: where ?? null,
    upstream: fault.upstream ? (upstream as Omit<UpstreamInfo, 'where'>) : null,
    status: fault.status ?? null,
    outcome: fault.outcome ?? null,
    ms: fault.ms ?? null,
    attempts: fault.attempts,
    traceId: fault.ids.traceId ?? null,
    requestId: fault.ids.requestId ?? null,
    pid: process.pid,
  };
}
