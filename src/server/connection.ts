import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Answer } from './traffic';

/**
 * How long a new connection may stay silent before it counts as idle. Whoever connects in order to ask sends at once; a
 * browser that connects ahead of a request that may never come would hold the process for as long as it likes.
 */
export const FIRST_REQUEST_MS = 1000;

/** One connection of a server, and whether it could be closed without cutting anything. */
export class Connection {
  inFlight = 0;
  /** The latest request that it carries and that is not answered yet. */
  newest: Answer | undefined = undefined;

  private readonly acceptedAt = performance.now();
  private hasAnswered = false;
  /** What had been read when the last answer was complete: more than that is the next request. */
  private bytesRead = 0;
  private unread: IncomingMessage | undefined = undefined;

  constructor(
    readonly socket: Socket,
    /** Below TLS: it carries no requests of its own. */
    readonly isRaw: boolean,
  ) {}

  begin(answer: Answer): void {
    this.inFlight += 1;
    this.newest = answer;
  }

  end(answer: Answer): void {
    this.inFlight -= 1;
    if (this.inFlight > 0) return;
    this.newest = undefined;
    this.hasAnswered = true;
    this.bytesRead = this.socket.bytesRead;
    if ('req' in answer && !answer.req.complete) this.awaitRest(answer.req);
  }

  /**
   * 0 when it can be closed: nothing in flight and not a byte of a next request. Otherwise how many ms to wait before it
   * is worth asking again; `Infinity` for "until something happens".
   *
   * Not `server.closeIdleConnections()`: on Node 20 to 26 that takes a response that has been ended, but is still on its
   * way to a slow reader, for idle and cuts it; on 26 also a connection that has just been accepted.
   */
  idleIn(): number {
    const isSilent =
      this.inFlight === 0 && this.unread === undefined && this.socket.bytesRead === this.bytesRead;
    if (!isSilent) return Infinity;
    if (this.hasAnswered) return 0;
    return Math.max(0, FIRST_REQUEST_MS - (performance.now() - this.acceptedAt));
  }

  // Answered before its body had arrived: the rest of the body is not the next request.
  private awaitRest(req: IncomingMessage): void {
    this.unread = req;
    req.once('close', () => {
      this.unread = undefined;
      this.bytesRead = this.socket.bytesRead;
    });
  }
}
