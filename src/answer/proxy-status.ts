import type { FaultCode, GatewayFault } from './fault';

/** The proxy error types of RFC 9209, section 2.3. */
const ERROR_TYPES: Record<FaultCode, string> = {
  DEADLINE_EXCEEDED: 'http_response_timeout',
  UPSTREAM_TIMEOUT: 'http_response_timeout',
  OPERATION_ABORTED: 'http_response_timeout',
  UPSTREAM_RESET: 'connection_terminated',
  UPSTREAM_REFUSED: 'connection_refused',
  UPSTREAM_UNREACHABLE: 'destination_unavailable',
  UPSTREAM_INVALID_RESPONSE: 'http_protocol_error',
  RESPONSE_STALLED: 'http_response_incomplete',
  CLIENT_CLOSED_REQUEST: 'proxy_internal_error',
  SERVER_DRAINING: 'proxy_internal_response',
  RESPONSE_DESTROYED: 'proxy_internal_error',
};

/** More precise types, by the phase of the call. */
const BY_PHASE: Record<string, string> = {
  'UPSTREAM_TIMEOUT dns': 'dns_timeout',
  'UPSTREAM_TIMEOUT connect': 'connection_timeout',
  'UPSTREAM_TIMEOUT tls': 'connection_timeout',
  'UPSTREAM_UNREACHABLE dns': 'dns_error',
  'UPSTREAM_UNREACHABLE tls': 'tls_protocol_error',
};

/** The value of the `Proxy-Status` field for a fault (RFC 9209): this package's name and the type of error. */
export function proxyStatusOf({ code, upstream }: GatewayFault): string {
  const type = BY_PHASE[`${code} ${upstream?.phase ?? ''}`] ?? ERROR_TYPES[code];
  return `express-hangup; error=${type}`;
}
