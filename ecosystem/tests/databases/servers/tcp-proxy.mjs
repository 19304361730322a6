// Stands between a client and any TCP server. `mayPass()` says of each connection whether it is passed on.
import { connect, createServer } from 'node:net';

/** `target` is `{ host, port }`, or a function that gives it for each connection. A connection that may not pass hangs. */
export async function startTcpProxy(target, mayPass = () => true) {
  const sockets = new Set();
  let isOpen = false;
  const server = createServer((socket) => {
    follow(socket);
    if (!mayPass() && !isOpen) return;
    const { host, port } = typeof target === 'function' ? target() : target;
    const upstream = follow(connect(port, host));
    socket.pipe(upstream).pipe(socket);
    socket.on('close', () => upstream.destroy());
    upstream.on('close', () => socket.destroy());
  });
  function follow(socket) {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  }
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    /** From now on all pass. */
    letPass: () => (isOpen = true),
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
