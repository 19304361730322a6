import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';

const servers = new Set<{ server: net.Server; sockets: Set<Socket> }>();

/** An upstream of bare sockets: `serve` gets each connection; or a text, which is the answer to everything. */
export async function rawUpstream(serve: string | ((socket: Socket) => void)): Promise<string> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    if (typeof serve === 'function') serve(socket);
    else socket.on('data', () => socket.write(serve));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.add({ server, sockets });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  for (const { server, sockets } of servers) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
  servers.clear();
});
