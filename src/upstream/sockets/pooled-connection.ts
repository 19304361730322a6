import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** How far a connection has come. */
export type Stage = 'dns' | 'connect' | 'tls' | 'queue';

/** What is known of one of the pool's connections: one socket at a time, and one request at a time on it. */
export class PooledConnection {
  /** The socket, once it is connected and until it is closed. */
  private socket: Socket | undefined = undefined;
  private connecting: Socket | undefined = undefined;
  private requests = 0;
  private idleSince = 0;
  private isBusy = false;
  /** How far it has come, or had come when it failed; `queue` for one that is there and waits for its turn. */
  stage: Stage = 'queue';
  /** Its socket goes to another address of the name than it should, because that could not be reached. */
  isDetour = false;

  /** @param onDrop - Told when the upstream closes the socket while nothing is under way on it. */
  constructor(private readonly onDrop: (idleMs: number) => void) {}

  /** A socket that tries to connect. */
  connects(socket: Socket, hostname: string): void {
    this.connecting = socket;
    const isName = isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
    this.stage = isName ? 'dns' : 'connect';
    if (isName)
      socket.once('lookup', (error: Error | null) => this.reaches(socket, error ? 'dns' : 'connect'));
    if ((socket as Partial<TLSSocket>).encrypted === true)
      socket.once('connect', () => this.reaches(socket, 'tls'));
  }

  connected(socket: Socket): void {
    this.connecting = undefined;
    this.socket = socket;
    this.stage = 'queue';
    this.isDetour = false;
    this.requests = 0;
    this.isBusy = false;
    this.idleSince = performance.now();
    socket.once('close', () => this.closed(socket));
  }

  /** Ends an attempt to connect for which nobody waits any more; undici would go on with it for up to ten seconds. */
  giveUpConnecting(): void {
    // Without an error undici would never hear of it.
    this.connecting?.destroy(new Error('Nobody waits for this connection any more'));
    this.connecting = undefined;
  }

  /** A request is about to be written. */
  begin(): void {
    this.isBusy = true;
    this.requests += 1;
  }

  /** The request that had begun is over, and the socket can carry another. */
  end(): void {
    this.isBusy = false;
    this.idleSince = performance.now();
  }

  /**
   * The request that had begun has failed or was given up, and the socket with it. undici 7 would close it with an error
   * after which it connects anew for the very request that was given up.
   */
  fail(error: Error): void {
    this.isBusy = false;
    this.idleSince = performance.now();
    if (this.socket?.destroyed === false) this.socket.destroy(error);
  }

  /** How long nothing has been under way, in ms; undefined where there is no socket. */
  idleMs(): number | undefined {
    return this.socket && performance.now() - this.idleSince;
  }

  /** How many requests the socket has carried. */
  get requestCount(): number {
    return this.socket ? this.requests : 0;
  }

  private reaches(socket: Socket, stage: Stage): void {
    if (this.connecting === socket) this.stage = stage;
  }

  private closed(socket: Socket): void {
    if (this.socket !== socket) return;
    const idleMs = this.idleMs() ?? 0;
    this.socket = undefined;
    if (!this.isBusy && wasClosedByPeer(socket)) this.onDrop(idleMs);
  }
}

/** A FIN ends the readable side, a RST leaves its code; undici's own closing leaves neither. */
function wasClosedByPeer(socket: Socket): boolean {
  const { code } = (socket.errored ?? {}) as NodeJS.ErrnoException;
  return socket.readableEnded || code === 'ECONNRESET';
}
