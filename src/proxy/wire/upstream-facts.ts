import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { siteOf, type CapturedStack } from '../../answer/call-site';
import type { UpstreamInfo } from '../../answer/fault';
import { upstreamOf } from '../../answer/upstream-info';

/** A target as http-proxy and httpxy hand it over: a URL, or an object of its parts. */
export interface UpstreamTarget {
  protocol?: string | null;
  host?: string | null;
  hostname?: string | null;
  port?: string | number | null;
}

/** Scheme, host and port of a target, never its path or credentials. */
export function originOf({ protocol, host, hostname, port }: UpstreamTarget): string {
  const scheme = /^(https|wss)/.test(protocol ?? '') ? 'https' : 'http';
  const name = hostname ?? host?.replace(/:\d+$/, '') ?? 'localhost';
  const bracketed = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
  const isDefault = !port || Number(port) === (scheme === 'https' ? 443 : 80);
  return `${scheme}://${bracketed}${isDefault ? '' : `:${port}`}`;
}

/** How far a request to the upstream had come when it failed. */
export function phaseOf(
  proxyReq: ClientRequest | undefined,
  proxyRes: IncomingMessage | undefined,
  error: unknown,
): UpstreamInfo['phase'] {
  if (proxyRes) return 'body';
  const { syscall } = error as { syscall?: unknown };
  if (syscall === 'getaddrinfo') return 'dns';
  if (syscall === 'connect') return 'connect';
  const socket = proxyReq?.socket as (Socket & { secureConnecting?: boolean }) | null | undefined;
  if (!proxyReq || !socket) return 'queue';
  if (socket.connecting) return 'connect';
  if (socket.secureConnecting === true) return 'tls';
  return proxyReq.writableFinished ? 'waiting' : 'sending';
}

/** The line of the app where a failed call was made, or else the line that has set up the proxy. */
export function whereOf(error: unknown, site: CapturedStack): Pick<UpstreamInfo, 'where'> {
  const where = upstreamOf(error)?.where ?? siteOf(site);
  return where ? { where } : {};
}

/** The upstream was silent for longer than the user's `proxyTimeout`, `timeout` or `upgradeTimeout`: an UPSTREAM_TIMEOUT. */
export function upstreamTimeout(ms: number): Error {
  return Object.assign(new Error(`The upstream was silent for ${ms} ms`), { code: 'ETIMEDOUT' });
}

/** The upstream's connection ended amid its response: an UPSTREAM_RESET. Node reports it only on the response. */
export function upstreamCut(): Error {
  return Object.assign(new Error('The upstream closed the connection amid its response'), {
    code: 'ECONNRESET',
  });
}

/** The upstream has sent something that cannot be passed on: an UPSTREAM_INVALID_RESPONSE. */
export function invalidResponse(message: string, cause?: unknown): Error {
  // Node's parser uses codes with this prefix for a response that it refuses.
  return Object.assign(new Error(message, { cause }), { code: 'HPE_INVALID_RESPONSE' });
}
