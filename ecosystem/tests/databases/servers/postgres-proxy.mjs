// What stands between a client and PostgreSQL: passes everything on, and does with CancelRequests what it is told.
import { connect, createServer } from 'node:net';

const CANCEL_REQUEST = 80877102;

/**
 * Listens on 127.0.0.1. `firstWords` says how each connection began; `onCancel(pass, socket)` gets each CancelRequest: `pass()` sends it on and closes the socket when the
 * server has closed; or it does something else with it.
 */
export async function startProxy(target, onCancel = (pass) => pass()) {
  const sockets = new Set();
  const proxy = { onCancel, cancels: 0, firstWords: [] };
  const server = createServer((socket) => {
    follow(socket);
    socket.once('data', (first) => {
      proxy.firstWords.push(first.readInt32BE(4));
      if (first.length >= 8 && first.readInt32BE(4) === CANCEL_REQUEST) {
        proxy.cancels += 1;
        const pass = () => {
          const upstream = follow(connect(target.port, target.host));
          upstream.write(first);
          upstream.on('close', () => socket.end());
          return new Promise((resolve) => upstream.on('close', resolve));
        };
        proxy.onCancel(pass, socket);
        return;
      }
      const upstream = follow(connect(target.port, target.host));
      upstream.write(first);
      socket.pipe(upstream).pipe(socket);
      socket.on('close', () => upstream.destroy());
      upstream.on('close', () => socket.destroy());
    });
  });
  function follow(socket) {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  }
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.port = server.address().port;
  proxy.close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  return proxy;
}
