import type { ClientRequest, IncomingMessage, InformationEvent } from 'node:http';
import type { ProxyExchange } from './exchange';

/** Gets the events of an upstream's request before http-proxy and httpxy do. One serves all exchanges. */
export interface RequestInterceptor {
  /** Returns true to keep an error from http-proxy and httpxy. Other listeners, such as the user's, get every error. */
  onError(exchange: ProxyExchange, error: NodeJS.ErrnoException): boolean;
  /**
   * A listener of the response has thrown: http-proxy or httpxy could not set a header, or a `Location` is no URL. Nobody else
   * would catch it.
   */
  onThrown(exchange: ProxyExchange, thrown: unknown): void;
  onInformation(exchange: ProxyExchange, information: InformationEvent): void;
  /** The request is closed. */
  onClose(exchange: ProxyExchange, proxyReq: ClientRequest): void;
}

/**
 * Intercepts the events of an upstream's request by replacing its `emit`. Listeners would do as well. But it would take five
 * for each request, three of them instead of others, and they would cost more than all the rest of this package's work.
 */
export function interceptRequest(
  proxyReq: ClientRequest,
  exchange: ProxyExchange,
  interceptor: RequestInterceptor,
): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on `proxyReq` below
  const emit = proxyReq.emit as (this: ClientRequest, event: string, ...args: unknown[]) => boolean;
  const emitIntercepted = (event: string, ...args: unknown[]): boolean => {
    switch (event) {
      case 'error':
        if (!interceptor.onError(exchange, args[0] as Error)) break;
        emitToOthers(proxyReq, exchange.req, args[0]);
        return true;
      case 'response':
        try {
          return emit.call(proxyReq, event, ...args);
        } catch (thrown) {
          interceptor.onThrown(exchange, thrown);
          return true;
        }
      case 'information':
        interceptor.onInformation(exchange, args[0] as InformationEvent);
        break;
      case 'close':
        interceptor.onClose(exchange, proxyReq);
    }
    return emit.call(proxyReq, event, ...args);
  };
  proxyReq.emit = emitIntercepted;
}

function emitToOthers(proxyReq: ClientRequest, req: IncomingMessage, error: unknown): void {
  // http-proxy and httpxy add the same `error` listener to both requests. No other listener is on both.
  const ofProxy = req.listeners('error');
  for (const listener of proxyReq.listeners('error')) {
    if (!ofProxy.includes(listener)) Reflect.apply(listener, proxyReq, [error]);
  }
}
