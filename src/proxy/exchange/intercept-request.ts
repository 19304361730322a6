import type { ClientRequest, IncomingMessage, InformationEvent } from 'node:http';

/** Who hears of an upstream's request before http-proxy and httpxy do. */
export interface RequestInterceptor {
  /** Gives true for an error that is kept from them. Others who listen, the user's `on.proxyReq` perhaps, hear of every one. */
  onError(error: NodeJS.ErrnoException): boolean;
  /** What they throw over a response: a header that cannot be set, a `Location` that is no URL. Nobody else would catch it. */
  onThrown(thrown: unknown): void;
  onInformation(information: InformationEvent): void;
  /** The request is closed. */
  onClose(): void;
}

/**
 * Intercepts the events of an upstream's request. Listeners would do, but five for each request, of which three take the
 * place of others, cost more than all else that happens to it here.
 */
export function interceptRequest(
  proxyReq: ClientRequest,
  req: IncomingMessage,
  interceptor: RequestInterceptor,
): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on `proxyReq` below
  const emit = proxyReq.emit as (this: ClientRequest, event: string, ...args: unknown[]) => boolean;
  proxyReq.emit = function emitIntercepted(event: string, ...args: unknown[]): boolean {
    switch (event) {
      case 'error':
        if (!interceptor.onError(args[0] as Error)) break;
        emitToOthers(proxyReq, req, args[0]);
        return true;
      case 'response':
        try {
          return emit.call(proxyReq, event, ...args);
        } catch (thrown) {
          interceptor.onThrown(thrown);
          return true;
        }
      case 'information':
        interceptor.onInformation(args[0] as InformationEvent);
        break;
      case 'close':
        interceptor.onClose();
    }
    return emit.call(proxyReq, event, ...args);
  };
}

function emitToOthers(proxyReq: ClientRequest, req: IncomingMessage, error: unknown): void {
  // The one listener that is on both requests is the proxy's.
  const ofProxy = req.listeners('error');
  for (const listener of proxyReq.listeners('error')) {
    if (!ofProxy.includes(listener)) Reflect.apply(listener, proxyReq, [error]);
  }
}
