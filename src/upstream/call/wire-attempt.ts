import type { Dispatcher } from 'undici';
import { classifyError } from '../../answer/classify/classify-error';
import type { UpstreamInfo } from '../../answer/fault';
import { rememberUpstream } from '../../answer/upstream-info';
import type { Endpoint } from '../origins/endpoint';
import { isPassingStatus } from '../retry/passing-status';
import type { PooledConnection } from '../sockets/pooled-connection';
import { watchHandler, type RequestObserver } from '../sockets/watch-handler';
import type { CallPlan } from './call-plan';

/** A socket that has been unused for this long and then breaks under a request was dead before. */
const STALE_MS = 100;

/** What counts against an endpoint: it could not answer. */
const GATEWAY_FAILURES = new Set([
  'UPSTREAM_RESET',
  'UPSTREAM_REFUSED',
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_INVALID_RESPONSE',
]);

type Task = Pick<CallPlan<unknown>, 'source' | 'dispatcher'>;

/**
 * One try of a call on the wire: the `dispatcher` that is given to undici for it. With redirects it is several
 * requests, one after the other; what is known is about the last.
 */
export class WireAttempt implements RequestObserver {
  /** undici has got as far as handing over a request: what goes wrong is not about the call's arguments. */
  dispatched = false;
  /** Bytes of the call may have left. */
  sent = false;
  /** The socket was dead before the request was written: nothing speaks against trying at once, on another. */
  stale = false;
  /** Nothing is under way on the wire. */
  idle = true;
  /** Called when the last response is complete or has failed. */
  onIdle: (() => void) | undefined = undefined;
  /** Called when the try is given up. */
  onGiveUp: ((reason: unknown) => void) | undefined = undefined;

  private connection: PooledConnection | undefined = undefined;
  private status = 0;
  private isCounted = false;
  private isWaiting = false;
  private givenUp: { readonly reason: unknown } | undefined = undefined;
  private abortRequest: ((reason: Error) => void) | undefined = undefined;
  /** Of the socket, as it was when the request was about to be written. */
  private requestsBefore = 0;
  private idleMs: number | undefined = undefined;

  constructor(
    readonly endpoint: Endpoint,
    private readonly attempt: number,
    private readonly task: Task,
  ) {
    // From the choice on: of many calls that choose in one turn, all would find the same endpoint free.
    this.occupy();
  }

  /** Called by undici, for the request and for each redirect that it follows. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { endpoint, task } = this;
    this.dispatched = true;
    endpoint.pool.refuse(options, this.status);
    this.status = 0;
    this.connection = undefined;
    this.idle = false;
    this.occupy();
    endpoint.requested();
    if (task.dispatcher) return task.dispatcher.dispatch(options, watchHandler(handler, this));
    return endpoint.pool.dispatch(options, handler, this);
  }

  assign(connection: PooledConnection): boolean {
    if (this.givenUp) return false;
    this.connection = connection;
    this.isWaiting = true;
    return true;
  }

  started(abort: (reason: Error) => void): void {
    this.sent = true;
    this.isWaiting = false;
    this.abortRequest = abort;
    this.noteSocket();
    this.connection?.begin();
    if (this.givenUp) this.abort(this.givenUp.reason);
  }

  answered(status: number): void {
    this.status = status;
  }

  ended(): void {
    this.connection?.end();
    if (isPassingStatus(this.status)) this.endpoint.failed();
    else if (this.connection?.isDetour !== true) this.endpoint.succeeded();
    this.rest();
  }

  failed(error: unknown): void {
    if (this.idle) return;
    // Not started yet: the socket broke while the request was about to be written. No byte of it has left.
    if (this.isWaiting) this.noteSocket();
    else this.connection?.fail(this.endpoint.pool.givenUp());
    this.isWaiting = false;
    if (!this.givenUp) this.broken(error);
    this.rest();
  }

  /** The call is over before its response has come whole: nothing that happens from here on is the upstream's doing. */
  giveUp(reason: unknown): void {
    if (this.givenUp) return;
    this.givenUp = { reason };
    if (this.status === 0 && this.dispatched && isTimeout(reason)) this.endpoint.failed();
    if (this.isWaiting && this.endpoint.pool.queued === 0) this.connection?.giveUpConnecting();
    this.task.source?.giveUp();
    this.release();
    this.onGiveUp?.(reason);
  }

  /** Ends the request on the wire, where it has got so far. */
  abort(reason: unknown): void {
    this.abortRequest?.(reason as Error);
  }

  private occupy(): void {
    if (!this.isCounted) this.endpoint.begin();
    this.isCounted = true;
  }

  /** It occupies its endpoint no longer. */
  release(): void {
    if (this.isCounted) this.endpoint.end();
    this.isCounted = false;
  }

  /** Where the call was, for the error's sake. */
  describe(): UpstreamInfo {
    const { endpoint, attempt, requestsBefore, idleMs } = this;
    const info: UpstreamInfo = { origin: endpoint.origin, attempt, phase: this.phase() };
    // Unknown as long as there is no socket, or with one that is not ours.
    if (idleMs === undefined) return info;
    const socket = { ...info, reusedSocket: requestsBefore > 0, requestsOnSocket: requestsBefore + 1 };
    return requestsBefore > 0 ? { ...socket, idleMs: Math.round(idleMs) } : socket;
  }

  private noteSocket(): void {
    this.requestsBefore = this.connection?.requestCount ?? 0;
    this.idleMs = this.connection?.idleMs();
  }

  private phase(): NonNullable<UpstreamInfo['phase']> {
    if (this.status !== 0) return 'body';
    if (this.sent) return this.task.source?.isRead === false ? 'sending' : 'waiting';
    return this.connection?.stage ?? 'queue';
  }

  private broken(error: unknown): void {
    rememberUpstream(error, this.describe());
    const code = classifyError(error)?.code;
    if (code !== undefined && GATEWAY_FAILURES.has(code)) this.endpoint.failed();
    if (code !== 'UPSTREAM_RESET') return;
    const { idleMs = 0 } = this;
    const isReused = this.requestsBefore > 0;
    this.stale = isReused && this.status === 0 && idleMs >= STALE_MS;
    this.endpoint.broke(isReused ? 'reused' : 'first');
    if (this.stale) this.endpoint.pool.dropped(idleMs);
  }

  private rest(): void {
    this.idle = true;
    this.release();
    this.task.source?.stop();
    // What this refers to lives as long as undici's Response: often until a full garbage collection.
    this.abortRequest = undefined;
    this.onIdle?.();
  }
}

function isTimeout(reason: unknown): boolean {
  return typeof reason === 'object' && reason !== null && (reason as Partial<Error>).name === 'TimeoutError';
}
