// Ports of 127.0.0.1 whose servers misbehave, for any protocol.
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';

/**
 * `silent` accepts and says nothing; `resetting` resets when it is spoken to; `closing` closes at once; `nobody` is a port on which
 * nobody listens; `hanging` is HTTP that never answers.
 */
export async function openFaultyPorts() {
  const sockets = new Set();
  const open = async (serve) => {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      serve(socket);
    });
    return listen(server);
  };
  const servers = {
    silent: await open(() => {}),
    resetting: await open((socket) => socket.once('data', () => socket.resetAndDestroy())),
    closing: await open((socket) => socket.end()),
    hanging: await listen(createHttpServer((req, res) => sockets.add(res.socket))),
  };
  const unused = await listen(createServer());
  const nobody = unused.address().port;
  await new Promise((resolve) => unused.close(resolve));
  return {
    ...Object.fromEntries(Object.entries(servers).map(([name, server]) => [name, server.address().port])),
    nobody,
    close() {
      for (const socket of sockets) socket.destroy();
      for (const server of Object.values(servers)) {
        server.close();
        server.closeAllConnections?.();
      }
    },
  };
}

function listen(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** The error with which `work` fails. */
export async function errorOf(work) {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing went wrong.');
}
