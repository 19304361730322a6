import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { milliseconds, numberThat, optionalFunction, wrongType } from '../options';

/** The largest value that Node's parser accepts. */
const MAX_HEADER_SIZE = 2 ** 31 - 1;

/**
 * The events of http-proxy-middleware that `hangupProxy()` handles, with the types that versions 3 and 4 share. They are
 * declared as methods so that handlers with narrower types (Express's Request and Response) are accepted.
 */
export interface HangupProxyEvents {
  /**
   * Runs before the app's error handlers. It may answer itself; if it does not, the error goes on to them. A handler that
   * answers later must return a promise.
   */
  error?(error: Error, req: IncomingMessage, res: ServerResponse | Socket, target?: unknown): unknown;
  start?(req: IncomingMessage, res: ServerResponse, target: unknown): unknown;
  proxyReq?(proxyReq: ClientRequest, req: IncomingMessage, res: ServerResponse, options: object): unknown;
  proxyReqWs?(
    proxyReq: ClientRequest,
    req: IncomingMessage,
    socket: Socket,
    options: object,
    head: unknown,
  ): unknown;
  proxyRes?(proxyRes: IncomingMessage, req: IncomingMessage, res: ServerResponse): unknown;
  open?(proxySocket: Socket): unknown;
  close?(proxyRes: IncomingMessage, proxySocket: Socket, proxyHead: unknown): unknown;
  end?(req: IncomingMessage, res: ServerResponse, proxyRes: IncomingMessage): unknown;
  econnreset?(error: Error, req: IncomingMessage, res: ServerResponse, target: unknown): unknown;
}

/**
 * The options that `hangupProxy()` reads or adds. All other options of http-proxy-middleware are passed on unchanged.
 */
export interface HangupProxyOptions {
  target?: unknown;
  forward?: unknown;
  router?: unknown;
  /** The user's own agent. Default: an agent that closes idle sockets before the upstream does. */
  agent?: unknown;
  /**
   * The longest silence of the upstream, in ms. After it the app's error handlers answer 504, or a response that has started
   * is cut. Default: none.
   */
  proxyTimeout?: number | undefined;
  /** The same as `proxyTimeout`; the smaller of the two counts. Default: none. */
  timeout?: number | undefined;
  /** How long a WebSocket handshake with the upstream may take, in ms. Default: `proxyTimeout`, or else 25 000. */
  upgradeTimeout?: number | undefined;
  /**
   * The upstream that gets a request when the first one fails before it has answered: `'http://spare:3001'`. It gets only
   * idempotent requests of which no byte of a body has left. Default: none.
   */
  fallback?: string | URL | undefined;
  /** The longest head of a response that the agent of `hangupProxy()` accepts, in bytes. Default: Node's, 16 KiB. */
  maxHeaderSize?: number | undefined;
  followRedirects?: boolean | number | undefined;
  ejectPlugins?: boolean | undefined;
  plugins?: readonly unknown[] | undefined;
  on?: HangupProxyEvents | undefined;
  /** Only `legacyCreateProxyMiddleware()` of version 3 has this option. */
  logProvider?: unknown;
}

/** Checks the options that `hangupProxy()` reads; http-proxy-middleware checks the rest. Zero means "off" there and here. */
export function checkedProxyOptions(options: unknown): HangupProxyOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw wrongType('hangupProxy(): the options', options, 'an object: the options of http-proxy-middleware');
  }
  const checked: HangupProxyOptions = options;
  const { proxyTimeout, timeout, upgradeTimeout, plugins, on, fallback } = checked;
  for (const [name, value] of Object.entries({ proxyTimeout, timeout, upgradeTimeout })) {
    if (value !== undefined) milliseconds(`hangupProxy(): option "${name}"`, value, { or: ', 0 for none' });
  }
  if (fallback !== undefined) checkFallback(fallback);
  checkMaxHeaderSize(checked);
  if (plugins !== undefined && !Array.isArray(plugins)) {
    throw wrongType('hangupProxy(): option "plugins"', plugins, 'an array');
  }
  for (const [event, handler] of Object.entries(on ?? {})) {
    optionalFunction<unknown>(`hangupProxy(): option "on.${event}"`, handler);
  }
  return checked;
}

function checkFallback(fallback: unknown): void {
  const where = 'hangupProxy(): option "fallback"';
  const allowed = "the URL of an upstream, 'http://spare:3001'";
  if (typeof fallback !== 'string' && !(fallback instanceof URL)) throw wrongType(where, fallback, allowed);
  const protocol = URL.canParse(String(fallback)) ? new URL(fallback).protocol : undefined;
  if (protocol !== 'http:' && protocol !== 'https:') throw wrongType(where, String(fallback), allowed);
}

function checkMaxHeaderSize({ maxHeaderSize, agent, followRedirects }: HangupProxyOptions): void {
  if (maxHeaderSize === undefined) return;
  const where = 'hangupProxy(): option "maxHeaderSize"';
  const allowed = `a whole number of bytes from 1 to ${MAX_HEADER_SIZE}`;
  const isSize = (bytes: number): boolean =>
    Number.isInteger(bytes) && bytes >= 1 && bytes <= MAX_HEADER_SIZE;
  numberThat(where, maxHeaderSize, allowed, isSize);
  if (agent !== undefined || followRedirects) {
    throw new TypeError(
      `${where} works with the agent that hangupProxy() brings: leave "agent" and "followRedirects" out, or give` +
        ' Node --max-http-header-size.',
    );
  }
}
