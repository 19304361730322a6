import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';

/** What an upstream does with a request: it gets the bare socket, and all that has come on it so far. */
export type Script = (socket: Socket, text: string) => void;

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok';

/** Answers, and keeps the connection. */
export const ok: Script = (socket) => void socket.write(OK);
export const fin: Script = (socket) => void socket.end();
export const rst: Script = (socket) => void socket.resetAndDestroy();
export const silence: Script = () => undefined;
export const garbage: Script = (socket) => void socket.write('this is not HTTP\r\n\r\n');

/** Begins an answer of ten bytes, gives two, and goes. */
export const cutBody =
  (how: 'fin' | 'rst'): Script =>
  (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok');
    setTimeout(() => (how === 'fin' ? socket.end() : socket.resetAndDestroy()), 20);
  };

export interface ScriptedUpstream {
  readonly port: number;
  readonly origin: string;
  /** The connections that are open now, the oldest first. */
  readonly sockets: Set<Socket>;
  /** What is done with the next requests. */
  script: Script;
  close: () => Promise<void>;
}

const running = new Set<ScriptedUpstream>();

/** A server on a bare socket on 127.0.0.1, which does with each request what the test says. Closed after the test. */
export async function scriptedUpstream(script: Script = ok): Promise<ScriptedUpstream> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => upstream.script(socket, chunk.toString('latin1')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const upstream: ScriptedUpstream = {
    port,
    origin: `http://127.0.0.1:${port}`,
    sockets,
    script,
    async close() {
      running.delete(upstream);
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
  running.add(upstream);
  return upstream;
}

/** A port of 127.0.0.1 on which nothing listens. */
export async function freePort(): Promise<number> {
  const upstream = await scriptedUpstream();
  await upstream.close();
  return upstream.port;
}

afterEach(async () => {
  for (const upstream of running) await upstream.close();
});
