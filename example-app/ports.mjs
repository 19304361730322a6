import { once } from 'node:events';
import { createServer } from 'node:net';

const DEFAULT_PORT = 3000;

/** Listens on the loopback interface, on PORT or 3000; resolves to the URL. Ends the process in plain words if it cannot. */
export async function listen(server) {
  const { PORT } = process.env;
  const port = PORT === undefined || PORT === '' ? DEFAULT_PORT : Number(PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    giveUp(`PORT is "${PORT}", but must be a number from 0 (any free port) to 65535.`);
  }
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error.code === 'EADDRINUSE')
      giveUp(`Port ${port} is taken. Choose another: PORT=${port + 1} npm start`);
    giveUp(`Cannot listen on port ${port}: ${error.message}`);
  }
  return `http://127.0.0.1:${server.address().port}`;
}

/** The URL of a port on which nobody listens. */
export async function urlOfNobody() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

function giveUp(message) {
  console.error(message);
  process.exit(1);
}
