import type { ClientRequest, IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { UpstreamInfo } from '../../answer/fault';
import { rememberUpstream } from '../../answer/upstream-info';
import { beginCall, callAnswered, callDone, callFailed, type UpstreamCall } from './upstream-call';
import { now } from '../clock';
import { noteFailure } from '../verdicts/note-failure';
import { httpOrigin } from './http-origin';
import type { OriginLog } from '../learned/origin-log';
import type { SocketLog } from './socket-log';
import { subscribeAll } from '../../subscribe-all';
import type { Watched } from './watched';

/** A request of node:http that has a socket. */
export interface HttpCall {
  readonly call: UpstreamCall;
  readonly request: ClientRequest;
  response: IncomingMessage | undefined;
  /** What was noted of its failure: a failure in the body shows twice, at the request and at the response. */
  info: UpstreamInfo | undefined;
}

interface OfRequest {
  readonly request: TrackedRequest;
}

type TrackedRequest = ClientRequest & { [call: symbol]: HttpCall | undefined };

/**
 * Follows the calls of node:http: those of `http.request()` and of all libraries on top of it. What Node does not
 * publish is read from the socket: a body that is cut by a FIN is only an error of the response.
 */
export class HttpWatcher {
  /** Where a request keeps its call: in a WeakMap, requests would survive until the next full garbage collection. */
  private readonly call = Symbol('express-hangup.call');
  private readonly unsubscribe: () => void;
  private isStopped = false;

  constructor(private readonly watched: Watched) {
    const begin = this.begin.bind(this);
    const onSocket = function (this: TrackedRequest): void {
      begin(this, true);
    };
    this.unsubscribe = subscribeAll({
      // From Node 22 on. Without it an upload is first seen when it has been written (`start`), or has failed.
      'http.client.request.created': ({ request }: OfRequest) => {
        watched.starts.noteHttp(request);
        // Emitted once for each request. `once()` would make a function for each.
        request.on('socket', onSocket);
      },
      'http.client.request.start': ({ request }: OfRequest) => begin(request, !isStreamed(request)),
      'http.client.request.error': (message: OfRequest & { error: unknown }) => this.failed(message),
      'http.client.response.finish': (message: OfRequest & { response: IncomingMessage }) =>
        this.answered(message),
    });
  }

  stop(): void {
    this.isStopped = true;
    this.unsubscribe();
  }

  /** The pool has taken a socket back. */
  freed(log: SocketLog): void {
    const known = log.httpCall;
    if (!known) return;
    log.httpCall = undefined;
    callDone(known.call);
    const { socket, origin } = log;
    // The agent's own listener came first: it has closed a socket that it does not want.
    if (socket.destroyed || !socket.writable) log.idleSince = undefined;
    else if (origin) origin.idle.poolSettingMs = poolSettingOf(socket);
  }

  /** A socket has closed. */
  closed(log: SocketLog): void {
    const known = log.httpCall;
    if (!known) return;
    log.httpCall = undefined;
    const { response, call } = known;
    if (response?.complete) callDone(call);
    else callFailed(call);
    // It is closed, not idle.
    log.idleSince = undefined;
    if (!response || response.complete) return;
    // Node's own listener gives the response its error, and may come after this one; the app hears of it in a later tick.
    process.nextTick(() => this.bodyFailed(known, response.errored));
  }

  private begin(request: TrackedRequest, knowsWhen: boolean): HttpCall | undefined {
    const known = request[this.call];
    const socket = request.socket;
    if (known || !socket || this.isStopped) return known;
    const log = this.logOf(request, socket);
    this.findOrigin(request, log);
    const call = beginCall(log, request.reusedSocket);
    if (!knowsWhen) Object.assign(call, { begunAt: undefined, idleMs: undefined });
    const begun: HttpCall = { call, request, response: undefined, info: undefined };
    request[this.call] = begun;
    log.httpCall = begun;
    return begun;
  }

  private logOf(request: ClientRequest, socket: Socket): SocketLog {
    const known = this.watched.sockets.of(socket);
    if (known) return known;
    const log = this.watched.sockets.watch(socket, { isWhole: !request.reusedSocket });
    if (socket.connecting) log.stage = isIP(request.host) === 0 ? 'dns' : 'connect';
    return log;
  }

  private findOrigin(request: ClientRequest, log: SocketLog, error?: unknown): OriginLog | undefined {
    if (log.origin) return log.origin;
    const origin = httpOrigin(request, { attempted: log.port, error });
    if (origin === undefined) return undefined;
    log.origin = this.watched.origins.of(origin);
    log.origin.requests += log.requests;
    log.origin.openSockets++;
    return log.origin;
  }

  private answered({ request, response }: OfRequest & { response: IncomingMessage }): void {
    const begun = this.begin(request, false);
    if (!begun) return;
    begun.response = response;
    const { call } = begun;
    this.findOrigin(request, call.socket);
    const status = response.statusCode ?? 0;
    callAnswered(call, status, () => String(response.headers['keep-alive'] ?? ''));
    const { origin } = call.socket;
    const { retries, starts } = this.watched;
    if (origin && status < 500 && retries.isWaiting)
      retries.saved({ origin, target: request, start: starts.of(request) });
  }

  private failed({ request, error }: OfRequest & { error: unknown }): void {
    const begun = this.begin(request, false);
    if (begun?.call.stage === 'sending' && request.writableFinished) begun.call.stage = 'waiting';
    this.note(error, request, begun, request.destroyed);
  }

  private bodyFailed(known: HttpCall, error: unknown): void {
    if (this.isStopped || error === null || error === undefined) return;
    if (known.info) rememberUpstream(error, known.info);
    // A peer that had neither closed nor reset: then it was this process.
    else this.note(error, known.request, known, known.call.socket.endedBy === undefined);
  }

  private note(
    error: unknown,
    request: ClientRequest,
    known: HttpCall | undefined,
    isDestroyedHere: boolean,
  ): void {
    const { origins, onFailure, aborts, starts } = this.watched;
    const call = known?.call;
    const log = call?.socket;
    const name = (log && this.findOrigin(request, log, error))?.origin ?? httpOrigin(request, { error });
    const observation = {
      origin: origins.of(name ?? `${request.protocol}//${request.host}`),
      call,
      start: starts.of(request),
      target: request,
      // A request waits without a socket while its pool has none to give.
      phase: log ? undefined : ('queue' as const),
      isDestroyedHere,
      abortedBy: aborts.current,
      isConnecting: log !== undefined && log.stage !== 'ready',
      isTimedOut: log?.isTimedOut === true,
      endedBy: endOf(log),
      connectingMs: log && log.stage !== 'ready' ? now() - log.bornAt : undefined,
    };
    const info = noteFailure(error, observation, onFailure);
    if (known) known.info = info;
  }
}

/** What the peer has done, also where Node's own listeners heard of it first and are just telling. */
function endOf(log: SocketLog | undefined): SocketLog['endedBy'] {
  return log?.endedBy ?? (log?.socket.readableEnded === true ? 'fin' : undefined);
}

/** Whether the body was written piece by piece: on Node 20 such a request is first seen at its end. */
function isStreamed(request: ClientRequest): boolean {
  return (request as { chunkedEncoding?: boolean }).chunkedEncoding === true;
}

/** An agent gives an idle socket its own timeout, or less where the upstream has announced less; 0 and undefined are none. */
function poolSettingOf({ timeout }: Socket): number {
  return timeout === undefined || timeout === 0 ? Infinity : timeout;
}
