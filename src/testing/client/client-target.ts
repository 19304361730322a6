import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { Server, type AddressInfo } from 'node:net';

/** An Express app (or any request listener), a server whether it listens already or not, or where one listens. */
export type Target = ((req: never, res: never) => unknown) | Server | string | URL;

/** A target that can be connected to. */
export interface ReachedTarget {
  url: URL;
  /** Ends what was started for it; a server that listened before is left alone. */
  release: () => void;
}

/** Sees to it that the target listens. */
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

/** A server that listens everywhere is asked on 127.0.0.1, any other one where it listens: `localhost` may be ::1 alone. */
function hostOf({ address, family, port }: AddressInfo): string {
  if (address === '::' || address === '0.0.0.0') return `127.0.0.1:${port}`;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

function serverFor(app: Exclude<Target, Server | string | URL>, protocol: 'http1' | 'http2'): Server {
  const listener = app as unknown as RequestListener;
  return protocol === 'http2' ? createHttp2Server(listener as never) : createServer(listener);
}

// The app must learn from the connection that its client has gone, so the server's end of it is not destroyed here; only a
// connection whose end Node does not notice (an upload that nobody reads) is, much later, so that no process hangs on it.
function closeSoon(server: Server & { closeAllConnections?: () => void }): void {
  const timer = setTimeout(() => server.closeAllConnections?.(), 3000);
  timer.unref();
  server.close(() => clearTimeout(timer));
}
