import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A listening port. It can be shut without losing it to another process. */
export class Listener {
  port: number;
  #server: Server | undefined;
  #keeper: Server | undefined;
  readonly #kept: Socket[] = [];
  readonly #serve: (tcp: Socket) => void;

  constructor(serve: (tcp: Socket) => void, port: number) {
    this.#serve = serve;
    this.port = port;
  }

  async open(): Promise<void> {
    if (this.#server) return;
    await this.#stopKeeping();
    // Nagle's algorithm would hold the second half of an answer back until after the cut that follows it.
    this.#server = createServer({ noDelay: true }, this.#serve);
    await listen(this.#server, this.port);
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async refuse(): Promise<void> {
    await stop(this.#server);
    this.#server = undefined;
    await this.#keep();
  }

  async close(): Promise<void> {
    await stop(this.#server);
    this.#server = undefined;
    await this.#stopKeeping();
  }

  // A connection *from* the port keeps it: the system gives it to nobody else and refuses connections to it.
  async #keep(): Promise<void> {
    const keeper = createServer();
    this.#keeper = keeper;
    await listen(keeper, 0);
    await new Promise<void>((resolve) => {
      const { port } = keeper.address() as AddressInfo;
      const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.1', localPort: this.port });
      this.#kept.push(socket);
      // If the system does not allow this, the port is simply free.
      socket.on('error', () => resolve());
      keeper.on('connection', (peer) => {
        peer.on('error', () => undefined);
        this.#kept.push(peer);
        resolve();
      });
    });
  }

  async #stopKeeping(): Promise<void> {
    for (const socket of this.#kept.splice(0)) socket.resetAndDestroy();
    await stop(this.#keeper);
    this.#keeper = undefined;
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

function stop(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (server) server.close(() => resolve());
    else resolve();
  });
}
