import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server, Socket } from 'node:net';
import { callSite, firstTelling, isNodes, isOwn, type CallSite } from './call-site';
import type { Leak } from './leak';

/**
 * Watches every connection of this process that is opened from now on. An idle one that a pool or a client keeps for the
 * next request is no leak; one that still holds the process, or that has outlived its server, is.
 */
export class SocketWatch {
  readonly #outgoing = new Map<Socket, CallSite>();
  readonly #incoming = new Set<Socket>();
  readonly #server: Server | undefined;
  readonly #idleToo: boolean;

  constructor(server: Server | undefined, idleToo: boolean) {
    this.#server = server;
    this.#idleToo = idleToo;
    subscribe('net.client.socket', this.#opened);
    server?.on('connection', this.#accepted);
    server?.on('secureConnection', this.#accepted);
  }

  readonly #opened = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    this.#outgoing.set(socket, callSite());
    socket.once('close', () => this.#outgoing.delete(socket));
  };

  readonly #accepted = (socket: Socket): void => {
    this.#incoming.add(socket);
    socket.once('close', () => this.#incoming.delete(socket));
  };

  leaks(): Leak[] {
    const leaks: Leak[] = [];
    for (const [socket, site] of this.#outgoing) {
      if (socket.destroyed || (!this.#idleToo && isUnref(socket))) continue;
      const frames = site.frames().slice(1);
      if (isOwn(frames.find((frame) => !isNodes(frame)) ?? '')) continue;
      const peer =
        socket.remoteAddress === undefined ? 'a peer' : `${socket.remoteAddress}:${socket.remotePort}`;
      leaks.push({
        kind: 'socket',
        what: `a connection to ${peer} is still open`,
        where: firstTelling(site.frames()),
      });
    }
    const outlived = this.#server?.listening === false;
    for (const socket of this.#incoming) {
      if (socket.destroyed || !(this.#idleToo || outlived)) continue;
      const why = outlived ? 'is still open, and its server is closed' : 'is still open';
      const what = `a connection from ${socket.remoteAddress}:${socket.remotePort} ${why}`;
      leaks.push({ kind: 'socket', what, where: undefined });
    }
    return leaks;
  }

  stop(): void {
    unsubscribe('net.client.socket', this.#opened);
    this.#server?.off('connection', this.#accepted);
    this.#server?.off('secureConnection', this.#accepted);
    this.#outgoing.clear();
    this.#incoming.clear();
  }
}

// http.Agent and undici both unref a socket that waits in their pool. There is no public way to ask a socket; where the handle
// cannot be asked either the socket counts as held, and is reported.
function isUnref(socket: Socket & { _handle?: { hasRef?: () => boolean } | null }): boolean {
  return socket._handle?.hasRef?.() === false;
}
