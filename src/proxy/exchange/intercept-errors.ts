import type { ClientRequest, IncomingMessage } from 'node:http';

/**
 * Hears of the errors of an upstream's request before http-proxy and httpxy do. An error for which `handle` gives true is
 * kept from them; others who listen, the user's own `on.proxyReq` perhaps, hear of every error.
 */
export function interceptErrors(
  proxyReq: ClientRequest,
  req: IncomingMessage,
  handle: (error: NodeJS.ErrnoException) => boolean,
): void {
  const listeners = proxyReq.listeners('error') as ((error: Error) => void)[];
  proxyReq.prependListener('error', (error: NodeJS.ErrnoException) => {
    const isHandled = handle(error);
    // The one listener that is on both requests is the proxy's.
    const ofProxy = req.listeners('error');
    for (const listener of listeners) {
      if (!isHandled || !ofProxy.includes(listener)) Reflect.apply(listener, proxyReq, [error]);
    }
  });
  // One by one, and after the new one: removing the last listener of an event makes an emitter slow for good.
  for (const listener of listeners) proxyReq.off('error', listener);
}

/**
 * Catches what http-proxy and httpxy throw over a response: a header that cannot be set, a `Location` that is no URL, a
 * status that HTTP/2 does not know. Nobody else would.
 */
export function guardResponse(proxyReq: ClientRequest, rescue: (thrown: unknown) => void): void {
  const listeners = proxyReq.listeners('response') as ((response: IncomingMessage) => void)[];
  proxyReq.on('response', (response) => {
    try {
      for (const listener of listeners) Reflect.apply(listener, proxyReq, [response]);
    } catch (thrown) {
      rescue(thrown);
    }
  });
  for (const listener of listeners) proxyReq.off('response', listener);
}
