import http from 'node:http';
import net, { type Socket } from 'node:net';
import { listen } from '../../fixtures/serve';

/** How long the upstreams here keep a socket that is not used. */
export const DROP_MS = 300;

export interface DroppingUpstream {
  origin: string;
  /** How often each id was processed: the path is the id. */
  processed: Map<string, number>;
  opened: number;
}

/**
 * Like a load balancer that has forgotten a connection: an unused socket stays open, and who uses it after 300 ms is reset.
 * No client can see it coming.
 */
export async function forgetfulUpstream(): Promise<DroppingUpstream> {
  const processed = new Map<string, number>();
  const self = { origin: '', processed, opened: 0 };
  const server = net.createServer((socket) => {
    let usedAt = performance.now();
    self.opened += 1;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      if (performance.now() - usedAt > DROP_MS) {
        socket.resetAndDestroy();
        return;
      }
      const [, path = ''] = chunk.toString('latin1').split(' ', 2);
      processed.set(path, (processed.get(path) ?? 0) + 1);
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      usedAt = performance.now();
    });
  });
  self.origin = (await listen(server as never)).url;
  return self;
}

/**
 * Closes an unused socket after 300 ms, whether or not a request is on its way, as Node's own server does after its
 * `keepAliveTimeout` (to which Node 20 adds a second that cannot be taken away).
 */
export async function punctualUpstream({ hint }: { hint: boolean }): Promise<DroppingUpstream> {
  const processed = new Map<string, number>();
  const timers = new WeakMap<Socket, NodeJS.Timeout>();
  const self = { origin: '', processed, opened: 0 };
  const server = http.createServer((req, res) => {
    const { socket } = req;
    clearTimeout(timers.get(socket));
    req.resume();
    processed.set(req.url!, (processed.get(req.url!) ?? 0) + 1);
    // Who says `keep-alive` for itself gets no `Keep-Alive: timeout=` from Node.
    res.setHeader('Connection', 'keep-alive');
    if (hint) res.setHeader('Keep-Alive', `timeout=${Math.floor(DROP_MS / 1000)}`);
    res.on('finish', () =>
      timers.set(
        socket,
        setTimeout(() => socket.destroy(), DROP_MS),
      ),
    );
    res.end('ok');
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', () => (self.opened += 1));
  self.origin = (await listen(server)).url;
  return self;
}
