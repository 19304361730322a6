import type { Dispatcher } from 'undici';
import { classifyError } from '../../answer/classify/classify-error';
import type { UpstreamInfo } from '../../answer/fault';
import { rememberUpstream } from '../../answer/upstream-info';
import type { PooledConnection } from '../sockets/pooled-connection';
import type { LearningPool, RequestObserver } from '../sockets/learning-pool';

/** A socket that has been unused for this long and then breaks under a request was dead before. */
const STALE_MS = 100;

/**
 * One try of a call on the wire: the `dispatcher` that is given to undici's fetch for it. With redirects it is several
 * requests, one after the other; what is known is about the last.
 */
export class WireAttempt implements RequestObserver {
  /** fetch has got as far as handing over a request: what goes wrong is not about the call's arguments. */
  dispatched = false;
  /** Bytes of the call may have left. */
  sent = false;
  /** The socket was dead before the request was written: nothing speaks against trying at once, on another. */
  stale = false;
  /** Nothing is under way on the wire. */
  idle = true;
  /** Called when the last response is complete or has failed. */
  onIdle: (() => void) | undefined = undefined;

  private connection: PooledConnection | undefined = undefined;
  private status = 0;
  private isWaiting = false;
  private isGivenUp = false;
  /** Of the socket, as it was when the request was about to be written. */
  private requestsBefore = 0;
  private idleMs: number | undefined = undefined;

  constructor(
    private readonly sockets: LearningPool,
    private readonly attempt: number,
  ) {}

  /** Called by fetch, for the request and for each redirect that it follows. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.dispatched = true;
    this.sockets.refuse(options, this.status);
    this.status = 0;
    this.connection = undefined;
    this.idle = false;
    return this.sockets.dispatch(options, handler, this);
  }

  assign(connection: PooledConnection): boolean {
    if (this.isGivenUp) return false;
    this.connection = connection;
    this.isWaiting = true;
    return true;
  }

  started(): void {
    this.sent = true;
    this.isWaiting = false;
    this.lookAtSocket();
    this.connection?.begin();
  }

  answered(status: number): void {
    this.status = status;
  }

  ended(): void {
    this.connection?.end();
    this.rest();
  }

  failed(error: unknown): void {
    if (this.idle) return;
    // Not started yet: the socket broke while the request was about to be written. No byte of it has left.
    if (this.isWaiting) this.lookAtSocket();
    else this.connection?.fail(this.sockets.givenUp());
    this.isWaiting = false;
    if (!this.isGivenUp) this.broken(error);
    this.rest();
  }

  /** The call is over before its response has come: nothing that happens from here on is the upstream's doing. */
  giveUp(): void {
    this.isGivenUp = true;
    if (this.isWaiting && this.sockets.queued === 0) this.connection?.giveUpConnecting();
  }

  /** Where the call was, for the error's sake. */
  describe(): UpstreamInfo {
    const info: UpstreamInfo = { origin: this.sockets.origin, attempt: this.attempt, phase: this.phase() };
    if (this.idleMs === undefined) return info;
    const requestsOnSocket = this.requestsBefore + 1;
    return { ...info, reusedSocket: requestsOnSocket > 1, requestsOnSocket, idleMs: Math.round(this.idleMs) };
  }

  private lookAtSocket(): void {
    this.requestsBefore = this.connection?.requestCount ?? 0;
    this.idleMs = this.connection?.idleMs();
  }

  private phase(): 'queue' | 'connect' | 'waiting' | 'body' {
    if (this.connection === undefined) return 'queue';
    if (!this.sent) return 'connect';
    return this.status === 0 ? 'waiting' : 'body';
  }

  private broken(error: unknown): void {
    rememberUpstream(error, this.describe());
    if (classifyError(error)?.code !== 'UPSTREAM_RESET') return;
    const { idleMs = 0 } = this;
    this.stale = this.status === 0 && idleMs >= STALE_MS;
    this.sockets.resets[this.requestsBefore > 0 ? 'reused' : 'first'] += 1;
    if (this.stale) this.sockets.dropped(idleMs);
  }

  private rest(): void {
    this.idle = true;
    this.onIdle?.();
  }
}
