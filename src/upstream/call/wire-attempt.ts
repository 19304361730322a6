import type { Dispatcher } from 'undici';
import { classifyError } from '../../answer/classify/classify-error';
import type { UpstreamInfo } from '../../answer/fault';
import { rememberUpstream } from '../../answer/upstream-info';
import type { Endpoint } from '../origins/endpoint';
import { isPassingStatus } from '../retry/passing-status';
import type { PooledConnection } from '../sockets/pooled-connection';
import { watchHandler, type RequestObserver } from '../sockets/watch-handler';
import type { CallPlan } from './call-plan';

/** If a socket breaks under a request after it was unused for this long or longer, it was dead before the request. */
const STALE_MS = 100;

/** The faults that count as failures of an endpoint. */
const GATEWAY_FAILURES = new Set([
  'UPSTREAM_RESET',
  'UPSTREAM_REFUSED',
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_INVALID_RESPONSE',
]);

type Task = Pick<CallPlan<unknown>, 'source' | 'dispatcher'>;

/**
 * One try of a call on the wire. It is the `dispatcher` that undici gets. With redirects, a try is several requests, one
 * after the other; the fields below are about the last one.
 */
export class WireAttempt implements RequestObserver {
  /** Whether undici has handed over a request. If not, an error is about the call's arguments. */
  dispatched = false;
  /** Whether bytes of the call may have left. */
  sent = false;
  /** Whether the socket was dead before the request was written. The request may then be sent at once on another socket. */
  stale = false;
  /** Whether nothing is under way on the wire. */
  idle = true;
  /** Called when the last response is complete or has failed. */
  onIdle: (() => void) | undefined = undefined;
  /** Called when the try is given up. */
  onGiveUp: ((reason: unknown) => void) | undefined = undefined;

  private connection: PooledConnection | undefined = undefined;
  private status = 0;
  /** The upstream has said something on it, if only a 103. */
  private isSeen = false;
  private isCounted = false;
  private isWaiting = false;
  private givenUp: { readonly reason: unknown } | undefined = undefined;
  private abortRequest: ((reason: Error) => void) | undefined = undefined;
  /** How many requests the socket had carried when this one was about to be written. */
  private requestsBefore = 0;
  /** How long the socket had been unused then. */
  private idleMs: number | undefined = undefined;

  constructor(
    readonly endpoint: Endpoint,
    private readonly attempt: number,
    private readonly task: Task,
  ) {
    // It is occupied as soon as it is chosen: otherwise all calls that choose in one turn would find the same endpoint free.
    this.occupy();
  }

  /** Called by undici, for the request and for each redirect that it follows. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { endpoint, task } = this;
    this.dispatched = true;
    endpoint.pool.refuse(options, this.status);
    this.status = 0;
    this.isSeen = false;
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
    this.isSeen = true;
    // A 102 or 103 is no answer yet. A 101 is one to what nobody has asked for; undici would fail in an assertion.
    if (status >= 200) this.status = status;
    else if (status === 101) this.abort(switchedProtocols());
  }

  ended(): void {
    this.connection?.end();
    if (isPassingStatus(this.status)) this.endpoint.failed();
    else if (this.connection?.isDetour !== true) this.endpoint.succeeded();
    this.rest();
  }

  failed(error: unknown): void {
    if (this.idle) return;
    // If the request still waits, the socket broke before it was written: no byte of it has left.
    if (this.isWaiting) this.noteSocket();
    else this.connection?.fail(this.endpoint.pool.givenUp());
    this.isWaiting = false;
    if (!this.givenUp) this.broken(error);
    this.rest();
  }

  /** The call is over before its response is complete. The upstream is not to blame for what happens from here on. */
  giveUp(reason: unknown): void {
    if (this.givenUp) return;
    this.givenUp = { reason };
    if (this.status === 0 && this.dispatched && isTimeout(reason)) this.endpoint.failed();
    if (this.isWaiting && this.endpoint.pool.queued === 0) this.connection?.giveUpConnecting();
    this.task.source?.giveUp();
    this.release();
    this.onGiveUp?.(reason);
  }

  /** Aborts the request on the wire, if undici has begun to write it. */
  abort(reason: unknown): void {
    this.abortRequest?.(reason as Error);
  }

  private occupy(): void {
    if (!this.isCounted) this.endpoint.begin();
    this.isCounted = true;
  }

  /** Stops occupying the endpoint. */
  release(): void {
    if (this.isCounted) this.endpoint.end();
    this.isCounted = false;
  }

  /** Describes for an error how far the call had come. */
  describe(): UpstreamInfo {
    const { endpoint, attempt, requestsBefore, idleMs } = this;
    const info: UpstreamInfo = { origin: endpoint.origin, attempt, phase: this.phase() };
    // Undefined as long as there is no socket, and with another dispatcher's sockets.
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
    this.stale = isReused && !this.isSeen && idleMs >= STALE_MS;
    this.endpoint.broke(isReused ? 'reused' : 'first');
    if (this.stale) this.endpoint.pool.dropped(idleMs);
  }

  private rest(): void {
    this.idle = true;
    this.release();
    this.task.source?.stop();
    // undici's Response keeps this object alive, often until a full garbage collection: drop the reference now.
    this.abortRequest = undefined;
    this.onIdle?.();
  }
}

function isTimeout(reason: unknown): boolean {
  return typeof reason === 'object' && reason !== null && (reason as Partial<Error>).name === 'TimeoutError';
}

function switchedProtocols(): Error {
  const message = 'The upstream has switched protocols (101), which nobody has asked for';
  return Object.assign(new Error(message), { code: 'HPE_INVALID_RESPONSE' });
}
