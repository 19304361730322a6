import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { Server, type AddressInfo } from 'node:net';

/** An Express app (or any request listener), a server that listens or does not listen yet, or the URL of a server. */
export type Target = ((req: never, res: never) => unknown) | Server | string | URL;

/** A target that can be connected to. */
export interface ReachedTarget {
  url: URL;
  /** Closes the server that was started for it. A server that listened before is left alone. */
  release: () => void;
}

/** Makes the target listen, if it does not yet. */
export async function reach(target: Target, protocol: 'http1' | 'http2'): Promise<ReachedTarget> {
  if (typeof target === 'string' || target instanceof URL)
    return { url: new URL(target), release: () => undefined };
  const server = typeof target === 'function' ? serverFor(target, protocol) : target;
  if (typeof (server as Partial<Server>).listen !== 'function') {
    throw new TypeError('The target must be an app, a server or a URL.');
  }
  const listening = server.listening;
  if (!listening) {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  }
  const scheme = 'setSecureContext' in server ? 'https' : 'http';
  return {
    url: new URL(`${scheme}://${hostOf(server.address() as AddressInfo)}`),
    release: () => {
      if (!listening) closeSoon(server);
    },
  };
}

/** The host to connect to: 127.0.0.1 for a server that listens everywhere, else its own address. `localhost` may be ::1 only. */
function hostOf({ address, family, port }: AddressInfo): string {
  if (address === '::' || address === '0.0.0.0') return `127.0.0.1:${port}`;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

function serverFor(app: Exclude<Target, Server | string | URL>, protocol: 'http1' | 'http2'): Server {
  const listener = app as unknown as RequestListener;
  return protocol === 'http2' ? createHttp2Server(listener as never) : createServer(listener);
}

// The app must learn from the connection that its client has gone, so the server's end is not destroyed here. Node does not
// notice the end of a connection whose upload nobody reads: that is destroyed, much later, so that it keeps no process alive.
function closeSoon(server: Server & { closeAllConnections?: () => void }): void {
  const timer = setTimeout(() => server.closeAllConnections?.(), 3000);
  timer.unref();
  server.close(() => clearTimeout(timer));
}
