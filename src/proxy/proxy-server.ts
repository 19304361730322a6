import type { IncomingMessage, ServerResponse } from 'node:http';
import type { UpstreamTarget } from './wire/upstream-facts';

/** How long an upstream may take, in ms; `Infinity` for no limit. */
export interface ProxyLimits {
  /** The longest silence on the connection. */
  readonly silenceMs: number;
  /** The longest WebSocket handshake. */
  readonly handshakeMs: number;
}

/** The options of one proxied request, as http-proxy and httpxy have merged them: a copy that belongs to the request. */
export interface ProxyRequestOptions {
  target?: UpstreamTarget;
  forward?: UpstreamTarget;
  buffer?: unknown;
  selfHandleResponse?: boolean;
}

/** What the proxy servers of http-proxy (version 3) and httpxy (version 4) have in common. */
export interface ProxyServer {
  on(event: string, listener: (...args: never[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  web(req: IncomingMessage, res: ServerResponse, options: object): unknown;
}
