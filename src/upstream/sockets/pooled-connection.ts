import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** How far a connection has come. */
export type Stage = 'dns' | 'connect' | 'tls' | 'queue';

/** One of the pool's connections. It has one socket at a time, which carries one request at a time. */
export class PooledConnection {
  /** The socket, once it is connected and until it is closed. */
  private socket: Socket | undefined = undefined;
  private connecting: Socket | undefined = undefined;
  private requests = 0;
  private idleSince = 0;
  private isBusy = false;
  /** How far connecting has come, or had come when it failed; `queue` once the socket is connected. */
  stage: Stage = 'queue';
  /** Whether the socket goes to another address of the name, because its own address could not be reached. */
  isDetour = false;

  /** @param onDrop - Called when the upstream closes the socket while no request is under way on it. */
  constructor(private readonly onDrop: (idleMs: number) => void) {}

  /** A socket begins to connect. */
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

  /** Stops connecting when no request waits for it any more. undici would go on for up to ten seconds. */
  giveUpConnecting(): void {
    // Without an error undici would not notice that the socket is destroyed.
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
   * The request under way has failed or was given up, so its socket is destroyed. undici 7 would destroy it with an error
   * after which it connects again, for the same request that was given up.
   */
  fail(error: Error): void {
    this.isBusy = false;
    this.idleSince = performance.now();
    if (this.socket?.destroyed === false) this.socket.destroy(error);
  }

  /** How long the socket has been unused, in ms; undefined where there is no socket. */
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

/** A FIN from the peer ends the readable side, and a RST leaves its error code. When undici closes, there is neither. */
function wasClosedByPeer(socket: Socket): boolean {
  const { code } = (socket.errored ?? {}) as NodeJS.ErrnoException;
  return socket.readableEnded || code === 'ECONNRESET';
}
