import { createHook } from 'node:async_hooks';
import type { Server, Socket } from 'node:net';
import { callSite, firstTelling, isInstalled, isNodes, isOwn, type CallSite } from './call-site';
import type { Leak } from './leak';

/**
 * Watches every connection that this process opens or accepts from now on. An idle connection that a pool or a client keeps for
 * the next request is no leak. A connection that keeps the process alive, or that has outlived its server, is one.
 */
export class SocketWatch {
  readonly #handles = new Map<object, CallSite>();
  readonly #incoming = new Set<Socket>();
  readonly #server: Server | undefined;
  readonly #idleToo: boolean;

  constructor(server: Server | undefined, idleToo: boolean) {
    this.#server = server;
    this.#idleToo = idleToo;
    server?.on('connection', this.#accepted);
    server?.on('secureConnection', this.#accepted);
  }

  // The channel `net.client.socket` knows only what net.connect() makes: new Socket().connect(), as pg does it, is not on it.
  readonly #hook = createHook({
    init: (_id, type, _trigger, handle) => {
      if (type !== 'TCPWRAP' && type !== 'PIPEWRAP') return;
      this.#handles.set(handle, callSite());
      // Kept small over a long run.
      if (this.#handles.size % 1000 === 0) this.#forget();
    },
  }).enable();

  #forget(): void {
    for (const handle of this.#handles.keys())
      if (ownerOf(handle)?.destroyed === true) this.#handles.delete(handle);
  }

  /** The sockets of this process's own connections; those of a server are on handles as well. */
  #outgoing(): { socket: Socket; site: CallSite }[] {
    const found: { socket: Socket; site: CallSite }[] = [];
    for (const [handle, site] of this.#handles) {
      const socket = ownerOf(handle);
      if (socket === undefined || socket.destroyed || isStandard(socket)) continue;
      if ((socket as { server?: object | null }).server) this.#handles.delete(handle);
      else found.push({ socket, site });
    }
    return found;
  }

  readonly #accepted = (socket: Socket): void => {
    this.#incoming.add(socket);
    socket.once('close', () => this.#incoming.delete(socket));
  };

  /** @param atOnce how many requests were served at the same time: so many connections a client of a package may keep. */
  leaks(atOnce: number): Leak[] {
    const leaks: Leak[] = [];
    const kept = new Map<string, number>();
    for (const { socket, site } of this.#outgoing()) {
      if (socket.destroyed || (!this.#idleToo && isUnref(socket))) continue;
      const frames = site.frames().slice(1);
      const opener = frames.find((frame) => !isNodes(frame)) ?? '';
      if (isOwn(opener)) continue;
      const peer =
        socket.remoteAddress === undefined ? 'a peer' : `${socket.remoteAddress}:${socket.remotePort}`;
      // A driver keeps connections of its own, which hold the process: pg, ioredis. A leak grows beyond what is needed at once.
      const count = (kept.get(peer) ?? 0) + 1;
      kept.set(peer, count);
      if (isInstalled(opener) && !this.#idleToo && count <= atOnce) continue;
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
    this.#hook.disable();
    this.#server?.off('connection', this.#accepted);
    this.#server?.off('secureConnection', this.#accepted);
    this.#handles.clear();
    this.#incoming.clear();
  }
}

// http.Agent and undici both unref a socket that waits in their pool. There is no public way to ask a socket; where the handle
// cannot be asked either the socket counts as held, and is reported.
function isUnref(socket: Socket & { _handle?: { hasRef?: () => boolean } | null }): boolean {
  return socket._handle?.hasRef?.() === false;
}

// Node opens these when they are first asked for, which pipe() does; in CI they are pipes.
function isStandard(socket: Socket & { fd?: unknown }): boolean {
  return socket.fd === 0 || socket.fd === 1 || socket.fd === 2;
}

/** The socket on a handle, which Node keeps under a symbol of its own; `undefined` for what is none. */
function ownerOf(handle: object): Socket | undefined {
  const symbol = Object.getOwnPropertySymbols(handle).find(
    ({ description }) => description === 'owner_symbol',
  );
  return symbol && (handle as Record<symbol, Socket | undefined>)[symbol];
}
